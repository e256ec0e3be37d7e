using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Headstart.Tests.Operations;

/// <summary>
/// Sends what nobody should send to every operation of the committed document and compares the answers with it. HEADSTART_FUZZ_SEED and
/// HEADSTART_FUZZ_REQUESTS take other requests and more of them; request i of a seed is made from seed + i alone and from what exists.
/// </summary>
public sealed class FuzzTests(FuzzHost host) : IClassFixture<FuzzHost>
{
    private const int Most = 3; // of work that goes on behind an answer

    private static readonly int Seed = Number("HEADSTART_FUZZ_SEED", 20_260_101);
    private static readonly int Requests = Number("HEADSTART_FUZZ_REQUESTS", 2_000);

    private static readonly string[] Errors = ["type", "title", "status", "detail"];

    private readonly JsonNode _document = DocumentedOperation.ReadDocument();

    [Fact]
    public async Task Whatever_is_sent_the_answer_is_one_that_the_document_names()
    {
        Assert.NotNull(host.Model); // or skipped
        var schemas = new SchemaCheck(_document);
        var operations = DocumentedOperation.All(_document);
        var (started, failures) = (new Dictionary<string, int>(), new Dictionary<string, string>());
        using var client = Client(TimeSpan.FromMinutes(1));
        using var fresh = Client(TimeSpan.Zero);
        for (var i = 0; i < Requests && failures.Count < 60; i++)
        {
            var operation = operations[i % operations.Count];
            if (started.GetValueOrDefault(operation.Id) >= Most)
            {
                continue;
            }

            var request = new OddRequests(host, new Random(Seed + i), schemas).Of(operation);
            var (status, wrong) = await AskAsync(client, request, schemas);
            if (status == Ended)
            {
                // The host may end a connection after an answer, as it does where it refused a body; a client that sends the next request
                // at that moment gets none. On a connection of its own every request has an answer.
                (status, wrong) = await AskAsync(fresh, request, schemas);
            }

            if (status == 202)
            {
                started[operation.Id] = started.GetValueOrDefault(operation.Id) + 1;
                await StopRunsAsync();
            }

            if (wrong is not null)
            {
                failures.TryAdd($"{operation.Id}: {wrong[..Math.Min(wrong.Length, 40)]}", $"Seed {Seed}, request {i}: {wrong}\n{request}");
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Values));
    }

    private const int Ended = -1; // in place of a status: the connection ended without one

    private static HttpClient Client(TimeSpan connectionLifetime) => new(new SocketsHttpHandler
    {
        RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
        AllowAutoRedirect = false,
        PooledConnectionLifetime = connectionLifetime,
    });

    private async Task<(int Status, string? Wrong)> AskAsync(HttpClient client, OddRequest request, SchemaCheck schemas)
    {
        using var message = request.Message(host.Address);
        using var slow = CancellationTokenSource.CreateLinkedTokenSource(Api.Cancel);
        slow.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            using var response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, slow.Token);
            return ((int)response.StatusCode, await WrongAsync(request, response, schemas, slow.Token));
        }
        catch (HttpRequestException e) when (request.Body?.Length > 1_000_000)
        {
            Debug.WriteLine(e.Message); // refused and closed before all was sent
            return (413, null);
        }
        catch (HttpRequestException e)
        {
            return (Ended, $"no answer: {e.GetBaseException().Message}");
        }
        catch (OperationCanceledException e) when (!Api.Cancel.IsCancellationRequested)
        {
            return (0, $"no answer in time: {e.Message}"); // not asked again: who waits in vain once has found something
        }
    }

    private async Task<string?> WrongAsync(OddRequest request, HttpResponseMessage response, SchemaCheck schemas,
        CancellationToken cancel)
    {
        var status = (int)response.StatusCode;
        var mediaType = response.Content.Headers.ContentType?.MediaType;
        if (mediaType == "text/event-stream")
        {
            return await WrongEventAsync(request, response, schemas, cancel);
        }

        var body = await response.Content.ReadAsByteArrayAsync(cancel);
        if (status == 400 && body.Length == 0 && request.Path.Contains("%00", StringComparison.Ordinal))
        {
            return null; // the server itself refuses such a path
        }

        if (request.Misrouted && status is 404 or 405 && mediaType == "application/problem+json")
        {
            return WrongProblem(body, mediaType, status); // no operation of ours, and so in the form of none: Open Inference has its own
        }

        var declared = request.Operation.Responses[status.ToString(CultureInfo.InvariantCulture)];
        if (declared is null)
        {
            return $"{status} is not documented: {Shown(body)}";
        }

        if (declared["content"] is not JsonObject content)
        {
            return body.Length > 0 ? $"{status} has a body of {mediaType}, and none is documented"
                : status >= 400 ? WrongProblem(body, mediaType, status) : null;
        }

        if (mediaType is null || content[mediaType] is not { } described)
        {
            return $"{status} came as {mediaType}: {Shown(body)}";
        }

        return mediaType switch
        {
            "application/problem+json" => WrongProblem(body, mediaType, status),
            "application/json" => WrongJson(body, status, described["schema"]!, schemas),
            "application/x-ndjson" => Encoding.UTF8.GetString(body).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => WrongJson(Encoding.UTF8.GetBytes(line), status, new JsonObject(), schemas))
                    .FirstOrDefault(wrong => wrong is not null),
            _ => null,
        };
    }

    private static string? WrongJson(byte[] body, int status, JsonNode schema, SchemaCheck schemas)
    {
        try
        {
            return schemas.Misfit(JsonNode.Parse(body), schema) is { } misfit ? $"{status}: {misfit}" : null;
        }
        catch (JsonException)
        {
            return $"{status} is no JSON: {Shown(body)}";
        }
    }

    private static string? WrongProblem(byte[] body, string? mediaType, int status)
    {
        try
        {
            var problem = mediaType == "application/problem+json" ? JsonNode.Parse(body) : null;
            return problem is JsonObject && Errors.All(name => problem[name] is not null) && (int)problem["status"]! == status ? null
                : $"{status} is no problem: {mediaType} {Shown(body)}";
        }
        catch (JsonException)
        {
            return $"{status} is no JSON: {Shown(body)}";
        }
    }

    /// <summary>The first event; the rest may take as long as the work does.</summary>
    private async Task<string?> WrongEventAsync(OddRequest request, HttpResponseMessage response, SchemaCheck schemas,
        CancellationToken cancel)
    {
        // Each is what the path without /events answers.
        var row = DocumentedOperation.All(_document).Single(o => o.Method == "GET" && $"{o.Path}/events" == request.Operation.Path);
        var schema = row.Responses["200"]!["content"]!["application/json"]!["schema"]!;

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancel));
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return WrongJson(Encoding.UTF8.GetBytes(line[6..]), 200, schema, schemas);
            }
        }

        return "there was no event";
    }

    /// <summary>Training would take the cores from the requests that follow.</summary>
    private async Task StopRunsAsync()
    {
        foreach (var model in (await host.Client.GetJsonAsync("/api/v1/models?limit=200"))["items"]!.AsArray())
        {
            var runs = $"/api/v1/models/{model!["id"]}/training-runs";
            foreach (var run in (await host.Client.GetJsonAsync(runs))["items"]!.AsArray()
                .Where(run => (string)run!["state"]! is "queued" or "running"))
            {
                await host.Client.PostAsync($"{runs}/{run!["id"]}/cancel", new { });
            }
        }
    }

    private static string Shown(byte[] body) => Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 300)));

    private static int Number(string name, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : usual;
}
