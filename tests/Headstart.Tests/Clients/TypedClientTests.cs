using System.Net;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Headstart.Client;
using Headstart.Learning.Tests.Backbones;
using Headstart.Tests.ApiDocument;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Clients;

/// <summary>The C# client against the committed OpenAPI document: whatever it uses is there, by the same name.</summary>
[Collection<HostingHost>]
public sealed class TypedClientTests(TestHost host)
{
    private static readonly JsonNode Document = JsonNode.Parse(File.ReadAllText(Repository.PathOf("src", "Headstart", "openapi.json")))!;
    private static readonly JsonObject Schemas = Document["components"]!["schemas"]!.AsObject();
    private static readonly NullabilityInfoContext Nullability = new();

    public static TheoryData<Type> Types => [.. typeof(HeadstartClient).Assembly.GetExportedTypes()
        .Where(type => type.IsEnum || type.GetMethod("<Clone>$") is not null)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_type_has_the_fields_and_values_of_its_schema(Type type)
    {
        var schema = Schemas[type.Name]?.AsObject();
        Assert.True(schema is not null, $"The document has no schema {type.Name}.");
        if (type.IsEnum)
        {
            Assert.Equal(schema["enum"]!.AsArray().Select(value => (string?)value),
                Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName));
            return;
        }

        var required = schema["required"]?.AsArray().Select(name => (string)name!).ToHashSet() ?? [];
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
                ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var field = schema["properties"]![name];
            Assert.True(field is not null, $"{type.Name} has no {name} in the document.");
            Assert.True(Fits(property.PropertyType, field),
                $"{type.Name}.{name} is {property.PropertyType} here and {field.ToJsonString()} in the document.");
            // What may be absent or null there must be nullable here; in requests it is the other way round.
            Assert.True(type.Name.EndsWith("Request", StringComparison.Ordinal) || required.Contains(name) || IsNullable(property),
                $"{type.Name}.{name} may be absent.");
        }
    }

    [Fact]
    public async Task A_path_of_the_base_address_stays()
    {
        using var server = new LoopbackServer(request => request.HeadAsync("204 No Content"));
        using var http = new HttpClient { BaseAddress = new Uri(server.Address, "/headstart") };

        await Assert.ThrowsAsync<HeadstartException>(() => new HeadstartClient(http, "x").FindModelAsync("Pets", Api.Cancel));

        Assert.Equal("/headstart/api/v1/models?named=Pets", Assert.Single(server.Requests).Path);
    }

    [Fact]
    public async Task Every_address_that_it_asks_is_in_the_document()
    {
        using var recorder = new Recorder();
        using var http = new HttpClient(recorder) { BaseAddress = host.Address };
        var client = new HeadstartClient(http, TestHost.Key);

        var model = await client.CreateModelAsync(new("Typed", Categories: ["cats", "dogs"]), Api.Cancel);
        foreach (var category in new[] { "cats", "dogs" })
        {
            Assert.Equal(6, (await client.UploadAsync(model.Id, category, Pets.Of(category)[..6], Api.Cancel)).Accepted.Count);
        }

        var run = await client.StartRunAsync(model.Id, new(MaxTrainingSeconds: 600), "once", Api.Cancel);
        Assert.Equal(run.Id, (await client.StartRunAsync(model.Id, new(), "once", Api.Cancel)).Id);
        Assert.Equal(run.Id, (await client.NewestRunAsync(model.Id, Api.Cancel))!.Id);
        run = await client.WatchAsync(run, Api.Cancel).LastAsync(Api.Cancel);
        Assert.Equal((JobState.Succeeded, 1), (run.State, run.Version));
        var version = await client.GetVersionAsync(model.Id, 1, Api.Cancel);
        Assert.InRange(version.Accuracy!.Value, version.AccuracyInterval![0], version.AccuracyInterval[1]);
        Assert.Equal(version.Accuracy, (await client.GetReportAsync(model.Id, 1, Api.Cancel)).Accuracy);
        var prediction = await client.PredictAsync(model.Id, Pets.Cats[..2], cancel: Api.Cancel);
        Assert.Equal(["cats", "cats"], prediction.Predictions.Select(p => p.Labels[0].Name));
        Assert.Equal((1, ModelState.Trained), ((await client.FindModelAsync("Typed", Api.Cancel))!.PublishedVersion,
            (await client.FindModelAsync("Typed", Api.Cancel))!.State));

        Assert.All(recorder.Asked.Distinct(), asked => Assert.True(IsInDocument(asked), $"{asked} is not in the document."));
        Assert.Equal(9, recorder.Asked.Distinct().Count());
    }

    [Fact]
    public async Task A_refusal_is_an_exception_with_the_type_the_status_and_the_sentence_of_the_problem()
    {
        using var http = new HttpClient { BaseAddress = host.Address };
        var refused = await Assert.ThrowsAsync<HeadstartException>(() =>
            new HeadstartClient(http, TestHost.Key).GetVersionAsync(Guid.Empty, 1, Api.Cancel));
        Assert.Equal(("version-not-found", HttpStatusCode.NotFound), (refused.Type, refused.Status));
        Assert.StartsWith("This model has no such version;", refused.Message);
    }

    [Fact]
    public async Task After_an_answer_a_lost_connection_is_tried_again_ever_later_but_a_model_is_created_once()
    {
        using var losing = new LosingHost { IsLost = true };
        using var http = new HttpClient(losing) { BaseAddress = new("http://localhost") };
        var clock = new HastyClock();
        var client = new HeadstartClient(http, "x", clock);

        await Assert.ThrowsAsync<HeadstartException>(() => client.FindModelAsync("Pets", Api.Cancel));
        losing.IsLost = false;
        Assert.Null(await client.FindModelAsync("Pets", Api.Cancel));
        losing.IsLost = true;
        await Assert.ThrowsAsync<HeadstartException>(() => client.CreateModelAsync(new("Pets"), Api.Cancel));
        Assert.Empty(clock.Waits);

        var lost = await Assert.ThrowsAsync<HeadstartException>(() => client.FindModelAsync("Pets", Api.Cancel));
        Assert.StartsWith("Cannot reach http://localhost", lost.Message);
        Assert.Equal([1, 2, 4, 8, 16], clock.Waits.Select(wait => wait.TotalSeconds));
    }

    private static bool IsInDocument((string Method, string Path) asked) => Document["paths"]!.AsObject().Any(path =>
        Regex.IsMatch(asked.Path, $"^{Regex.Replace(path.Key, @"\{\w+\}", "[^/]+")}$") && path.Value!.AsObject().ContainsKey(asked.Method));

    private static bool Fits(Type type, JsonNode field)
    {
        var inner = Nullable.GetUnderlyingType(type) ?? type;
        return inner == typeof(string) || inner == typeof(Guid) || inner == typeof(DateTime) ? SchemaCheck.TypeOf(field) == "string"
            : inner == typeof(int) ? SchemaCheck.TypeOf(field) == "integer"
            : inner == typeof(double) ? SchemaCheck.TypeOf(field) == "number"
            : inner == typeof(bool) ? SchemaCheck.TypeOf(field) == "boolean"
            : inner.IsGenericType ? SchemaCheck.TypeOf(field) == "array" && Fits(inner.GetGenericArguments()[0], field["items"]!)
            : (string?)(field["oneOf"]?[1] ?? field)["$ref"] == $"#/components/schemas/{inner.Name}";
    }

    private static bool IsNullable(PropertyInfo property) => Nullability.Create(property).WriteState == NullabilityState.Nullable;

    private sealed class LosingHost : HttpMessageHandler
    {
        public bool IsLost { get; set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => IsLost
            ? throw new HttpRequestException("The connection is lost.")
            : Task.FromResult(new HttpResponseMessage { Content = new StringContent("""{"items":[],"next":null}""") });
    }

    /// <summary>Takes down how long a wait should take, and ends it at once.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public List<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    /// <summary>Takes down what is asked, with the word id in place of ids.</summary>
    private sealed class Recorder() : DelegatingHandler(new SocketsHttpHandler())
    {
        public List<(string Method, string Path)> Asked { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add((request.Method.Method.ToLowerInvariant(),
                Regex.Replace(request.RequestUri!.AbsolutePath, "[0-9a-f]{8}-[0-9a-f-]{27}", "id")));
            return base.SendAsync(request, cancellationToken);
        }
    }
}
