using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.Access;
using Headstart.Tests.Uploads;
using static Headstart.Tests.NanoNets.NanoSteps;

namespace Headstart.Tests.NanoNets;

/// <summary>What clients do that a strict server would refuse; each test names the client that needs it.</summary>
public sealed class QuirksTests(NanoHost host) : IClassFixture<NanoHost>
{
    private readonly PythonRequests _requests = new(host.Address, TestHost.Key);

    [Fact]
    public async Task Wrapper_sends_fields_with_an_empty_filename()
    {
        var id = await NewModelAsync();
        var model = await host.JsonAsync(_requests.Files($"{Categorization}/UploadFile/",
            Picture(1, "1.jpg"), FormPart.Unnamed("modelId", id), FormPart.Unnamed("category", "cats")));
        Assert.Equal("1 0", model.Counts());
    }

    [Fact]
    public async Task Samples_send_a_field_behind_the_files_it_applies_to_and_no_content_type()
    {
        var id = await NewModelAsync();
        var model = await host.JsonAsync(_requests.Files($"{Categorization}/UploadFile/",
            [.. Enumerable.Range(10, 4).Select(n => Picture(n, $"{n} (copy).jfif")), FormPart.Unnamed("category", "dogs"),
                FormPart.Unnamed("modelId", id)]));
        Assert.Equal("0 4", model.Counts());
        Assert.Equal("10 (copy).jfif", (string?)model["result"]![0]!["file"]);
    }

    [Fact]
    public async Task Multi_label_sample_sends_JSON_without_a_content_type() =>
        Assert.Equal("multilabelclassification", (string?)(await host.JsonAsync(_requests.Post($"{MultiLabel}/Model/", """{"categories": ["a", "b"]}""")))["model_type"]);

    [Fact]
    public async Task Samples_train_with_an_empty_body_without_a_content_type()
    {
        var refused = await host.JsonAsync(_requests.Post($"{Categorization}/Train/?modelId={await NewModelAsync()}"), 409);
        Assert.Equal(("Conflict", 409, "Model is not ready"),
            ((string?)refused["message"], (int)refused["code"]!, (string?)refused["errors"]![0]!["reason"]));
    }

    [Fact]
    public async Task Impatient_clients_train_twice_at_once_and_start_one_run()
    {
        var model = await host.Client.PetsAsync(3);
        var id = Guid.Parse(model.Split('/')[^1]);
        await using var held = await HeldRow.TakeAsync(host, $"SELECT FROM models WHERE id = {id} FOR UPDATE");
        var calls = (TrainAsync(), TrainAsync());
        await held.WaitersAsync(2);
        await held.ReleaseAsync();

        Assert.Equal((id.ToString(), id.ToString()), ((string?)(await calls.Item1)["model_id"], (string?)(await calls.Item2)["model_id"]));
        Assert.Single((await host.Client.GetJsonAsync($"{model}/training-runs"))["items"]!.AsArray());

        Task<JsonNode> TrainAsync() => host.JsonAsync(_requests.Post($"{Categorization}/Train/?modelId={id}"));
    }

    /// <summary>tryAGI/Nanonets, made from the specification.</summary>
    [Fact]
    public async Task CSharp_client_sends_JSON_as_an_urlencoded_form()
    {
        var client = new SwaggerCodegen(host.Address, TestHost.Key);
        var answer = await host.JsonAsync(client.Post($"{Categorization}/UploadUrls/",
            $$"""{"modelId":"{{await NewModelAsync()}}","category":"cats","urls":["not an address"]}"""), 400);
        Assert.StartsWith("not an address: ", (string?)answer["errors"]![0]!["message"]); // so all three fields were understood
    }

    [Theory]
    [InlineData("%5B%27cats%27%2C+%27two+words%27%5D", "cats|two words")] // swagger-codegen: a list as Python 3 prints it
    [InlineData("%5Bu%27cats%27%2C+u%22dog%27s%22%5D", "cats|dog's")] // … as Python 2 does
    [InlineData("%5B%22cats%22%2C%22K%C3%A4se%22%5D", "cats|Käse")]
    [InlineData("cats%2Cdogs", "cats|dogs")]
    [InlineData("cats&categories=dogs%2C+other", "cats|dogs, other")]
    [InlineData("%5Bcats%5D&categories=dogs", "[cats]|dogs")]
    public async Task Swagger_client_sends_a_list_as_one_value(string sent, string expected)
    {
        var model = await host.JsonAsync(new SwaggerCodegen(host.Address, TestHost.Key)
            .Post($"{Categorization}/Model/", "categories=" + sent));
        Assert.Equal(expected, string.Join('|', model["categories"]!.AsArray().Select(c => (string?)c!["name"])));
    }

    [Fact]
    public async Task Clients_name_the_model_in_the_path_the_query_or_the_form_or_in_several_that_agree()
    {
        var (id, other) = (await NewModelAsync(), await NewModelAsync());
        foreach (var (target, parts) in new (string, FormPart[])[]
        {
            ($"{Categorization}/UploadFile", [FormPart.Unnamed("modelId", id)]),
            ($"{Categorization}/UploadFile?modelId={id}", [FormPart.Field("modelId", id)]),
            ($"{Categorization}/Model/{id}/UploadFile/?modelId={id.ToUpperInvariant()}", [FormPart.Field("id", id)]),
        })
        {
            await host.JsonAsync(_requests.Files(target, [FormPart.Field("category", "cats"), Picture(1, "1.jpg"), .. parts]));
        }

        var refused = await host.JsonAsync(_requests.Files($"{Categorization}/UploadFile/?modelId={id}", FormPart.Field("modelId", other),
            Picture(2, "2.jpg")), 400);
        Assert.Equal("Model ids differ", (string?)refused["errors"]![0]!["reason"]);
        await host.JsonAsync(_requests.Files($"{Categorization}/UploadFile/", FormPart.Field("category", "cats"), Picture(2, "2.jpg")),
            400);
    }

    [Fact]
    public async Task FlutterFlow_sends_a_slash_behind_the_query_and_lowcodeapi_lower_case()
    {
        var id = await NewModelAsync();
        Assert.Equal("Model is not ready", await ReasonAsync(
            _requests.Fields($"{Categorization}/LabelUrls/?async=false/", $"modelId={id}&urls=http://h/a.jpg"), 409));
        Assert.Equal(id, (string?)(await host.JsonAsync(_requests.Get($"/api/v2/imagecategorization/model?modelid={id}")))["model_id"]);
    }

    [Theory]
    [InlineData("text/xml")]
    [InlineData("Multipart/form-data")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("not a media type")]
    public async Task Every_sample_sends_an_odd_Accept_header(string accept)
    {
        var request = Encoding.ASCII.GetString(_requests.Get($"{Categorization}/Models/")).Replace("*/*", accept, StringComparison.Ordinal);
        Assert.IsType<JsonArray>(await host.JsonAsync(Encoding.ASCII.GetBytes(request)));
    }

    [Fact]
    public async Task Old_python_requests_encode_file_names_as_RFC_2231_says()
    {
        // Both names are of the same length, so that the length of the body stays right.
        const string Modern = "filename=\"------------------\"", Old = "filename*=utf-8''K%C3%A4%20se";
        var bytes = _requests.Files($"{Categorization}/UploadFile/?modelId={await NewModelAsync()}&category=cats",
            Picture(1, "------------------"));
        var old = Encoding.Latin1.GetString(bytes).Replace(Modern, Old, StringComparison.Ordinal);
        Assert.Equal("Kä se", (string?)(await host.JsonAsync(Encoding.Latin1.GetBytes(old)))["result"]![0]!["file"]);
    }

    [Theory]
    [InlineData("Basic {base64(key:)}")] // all clients
    [InlineData("Basic {base64(key)}")]
    [InlineData("{key}")] // the page of the documentation
    [InlineData("Bearer {key}")]
    public async Task Documentation_shows_several_ways_to_send_the_key(string header) =>
        Assert.Equal(200, (await ListWithAsync(header)).Status);

    [Theory]
    [InlineData("Basic bm9uZTo=")]
    [InlineData("wrong")]
    [InlineData(null)]
    public async Task A_key_that_is_not_known_is_refused_as_clients_expect_it(string? header)
    {
        var answer = await ListWithAsync(header);
        Assert.Equal(("Unauthorized", 401), ((string?)answer.Json(401)["message"], (int)answer.Json(401)["code"]!));
        Assert.StartsWith("Basic", answer.Headers["WWW-Authenticate"]);
    }

    /// <summary>ic-js-sdk and web pages call from browsers.</summary>
    [Fact]
    public async Task Browsers_may_call_where_the_setting_names_their_site()
    {
        foreach (var (origin, allowed) in new[] { ("https://shop.example", true), ("https://other.example", false) })
        {
            var preflight = await host.SendAsync(Encoding.ASCII.GetBytes(
                $"OPTIONS {Categorization}/LabelFile/ HTTP/1.1\r\nHost: h\r\nOrigin: {origin}\r\n"
                + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n"));
            Assert.Equal(allowed, preflight.Headers.ContainsKey("Access-Control-Allow-Origin"));
            var answer = await host.SendAsync(Encoding.ASCII.GetBytes(
                $"GET {Categorization}/Models HTTP/1.1\r\nHost: h\r\nOrigin: {origin}\r\n\r\n"));
            Assert.Equal((401, allowed), (answer.Status, answer.Headers.ContainsKey("Access-Control-Allow-Origin")));
        }
    }

    [Fact]
    public async Task Another_accounts_model_does_not_exist()
    {
        using var other = await host.OtherAccountAsync();
        var key = other.DefaultRequestHeaders.Authorization!.Parameter!;
        Assert.Equal("Model not found", await ReasonAsync(new PythonRequests(host.Address, key)
            .Get($"{Categorization}/Model/{await NewModelAsync()}"), 404));
    }

    private static FormPart Picture(int number, string name) => new("file", name, null, Pictures.Jpeg(number));

    private async Task<string> NewModelAsync() =>
        (string)(await host.JsonAsync(_requests.Fields($"{Categorization}/Model/", "categories=cats&categories=dogs")))["model_id"]!;

    private async Task<string?> ReasonAsync(byte[] request, int status) =>
        (string?)(await host.JsonAsync(request, status))["errors"]![0]!["reason"];

    private Task<WireAnswer> ListWithAsync(string? header)
    {
        header = header?.Replace("{key}", TestHost.Key, StringComparison.Ordinal)
            .Replace("{base64(key:)}", Convert.ToBase64String(Encoding.ASCII.GetBytes(TestHost.Key + ":")), StringComparison.Ordinal)
            .Replace("{base64(key)}", Convert.ToBase64String(Encoding.ASCII.GetBytes(TestHost.Key)), StringComparison.Ordinal);
        return host.SendAsync(Encoding.ASCII.GetBytes($"GET {Categorization}/Models/ HTTP/1.1\r\nHost: "
            + $"app.nanonets.com\r\n{(header is null ? "" : $"Authorization: {header}\r\n")}\r\n"));
    }
}
