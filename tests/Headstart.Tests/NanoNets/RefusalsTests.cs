using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.Uploads;
using static Headstart.Tests.NanoNets.NanoSteps;

namespace Headstart.Tests.NanoNets;

/// <summary>Every error below /api/v2 has NanoNets' shape, whoever found it: clients parse all answers as JSON.</summary>
public sealed class RefusalsTests(NanoHost host) : IClassFixture<NanoHost>
{
    private const string Nobody = "00000000-0000-0000-0000-000000000000";
    private readonly PythonRequests _requests = new(host.Address, TestHost.Key);

    [Theory]
    [InlineData("/api/v2/Nothing/", 404)]
    [InlineData("/api/v2", 404)]
    [InlineData("/API/V2/ImageCategorization/", 404)]
    [InlineData($"{Categorization}/Model/{Nobody}", 404)]
    [InlineData($"{Categorization}/Model/not-an-id", 404)]
    [InlineData($"{Categorization}/Model?modelId={Nobody}", 404)]
    [InlineData($"{MultiLabel}/Model/{Nobody}/Annotations", 404)]
    [InlineData($"{Categorization}/Model", 400)]
    [InlineData($"{Categorization}/Train/", 405)]
    [InlineData($"/api/v2/ObjectDetection/Model/{Nobody}", 404)]
    [InlineData("/api/v2/OCR/Model/1/LabelFile/", 501)]
    public Task Getting_what_is_not_there_is_an_error_of_the_same_shape(string target, int status) =>
        RefusedAsync(_requests.Get(target), status);

    [Theory]
    [InlineData("/api/v2/ObjectDetection/Model/", """{"categories": []}""", 400)]
    [InlineData($"{Categorization}/Model/", """{"categories": ["a"]}""", 400)]
    [InlineData($"{Categorization}/Model/", """{"categories": ["a", "a"]}""", 400)]
    [InlineData($"{Categorization}/Model/", """{"categories": """, 400)]
    [InlineData($"{Categorization}/Model/", """{"categories": ["a", " "]}""", 400)]
    [InlineData($"{Categorization}/Model/", "", 400)]
    [InlineData($"{Categorization}/Train/?modelId={Nobody}", "", 404)]
    [InlineData($"{Categorization}/LabelUrls/?modelId={Nobody}", "", 404)]
    [InlineData($"{Categorization}/Models/", "", 405)]
    public Task Posting_what_makes_no_sense_is_an_error_of_the_same_shape(string target, string body, int status) =>
        RefusedAsync(_requests.Post(target, body), status);

    [Fact]
    public async Task Uploads_without_a_model_a_category_or_a_file_are_refused()
    {
        var id = await NewModelAsync(Categorization);
        await RefusedAsync(_requests.Files($"{Categorization}/UploadFile/?modelId={Nobody}&category=cats", Picture(1)), 404);
        await RefusedAsync(_requests.Files($"{Categorization}/UploadFile/?modelId={id}", Picture(1)), 400, "Category missing");
        await RefusedAsync(_requests.Files($"{Categorization}/UploadFile/?modelId={id}&category=cows", Picture(1)), 400,
            "Category is not valid for the model");
        await RefusedAsync(_requests.Files($"{Categorization}/UploadFile/?modelId={id}&category=cats", FormPart.Field("a", "b")), 400,
            "File missing");
        await RefusedAsync(_requests.Fields($"{Categorization}/UploadUrls/", $"modelId={id}&category=cats"), 400, "File missing");
        await RefusedAsync(_requests.Files($"{MultiLabel}/Model/{id}/UploadFiles/", Picture(1)), 404); // of the other kind
    }

    [Fact]
    public async Task The_fields_of_a_form_are_limited_together()
    {
        var id = await NewModelAsync(Categorization);
        var four = new string('x', 4_000_000);
        await RefusedAsync(_requests.Files($"{Categorization}/UploadFile/?modelId={id}&category=cats",
            [Picture(1), .. Enumerable.Range(0, 5).Select(i => FormPart.Field($"note{i}", four))]), 413);
    }

    [Fact]
    public async Task A_file_that_is_no_image_is_named_and_the_others_are_taken()
    {
        var id = await NewModelAsync(Categorization);
        var pdf = new FormPart("file", "a.pdf", "application/pdf", "%PDF-1.7"u8.ToArray());
        var refused = await RefusedAsync(_requests.Files($"{Categorization}/UploadFile/?modelId={id}&category=cats", pdf), 400);
        Assert.StartsWith("a.pdf: ", (string?)refused["errors"]![0]!["message"]);
        var model = await host.JsonAsync(_requests.Files($"{Categorization}/UploadFile/?modelId={id}&category=cats", Picture(1), pdf), 202);
        Assert.Equal(["Success", "False"], model["result"]!.AsArray()
            .Select(f => (string?)f!["message"] is "Success" ? "Success" : "False"));
        Assert.Equal("1 0", model.Counts());
    }

    [Fact]
    public async Task Multi_label_images_of_which_nothing_is_said_are_refused_because_without_a_label_they_would_count_as_showing_none()
    {
        var id = await NewModelAsync(MultiLabel);
        var target = $"{MultiLabel}/Model/{id}/UploadFiles/";
        await RefusedAsync(_requests.Files(target, Picture(1)), 400, "Annotations missing");
        await RefusedAsync(_requests.Files(target, Picture(1), FormPart.Unnamed("data", "nonsense")), 400, "Data is not valid");
        await RefusedAsync(_requests.Files(target, Picture(1), FormPart.Unnamed("data", """[{"filename": "1.jpg", "categories": ["cows"]}]""")), 400, "Category is not valid for the model");
        var model = await host.JsonAsync(_requests.Files(target, Picture(1), Picture(2), Picture(3), FormPart.Unnamed("data",
            """[{"filename": "1.jpg", "categories": ["cats", "dogs"]}, {"filename": "2.jpg", "categories": []}, {"filename": "other.jpg", "categories": ["cats"]}]""")), 202);
        Assert.Equal("1 1", model.Counts());
        var annotations = await host.JsonAsync(_requests.Get($"{MultiLabel}/Model/{id}/Annotations"));
        Assert.Equal(["1.jpg cats dogs", "2.jpg "], annotations["Data"]!.AsArray()
            .Select(d => $"{d!["filename"]} {string.Join(' ', d["categories"]!.AsArray())}").Order());
        Assert.Equal(("1 1", 2), (annotations["Meta"]!.Counts(), (int)annotations["Meta"]!["state"]!));
    }

    [Fact]
    public async Task A_broken_form_and_one_that_is_too_large_are_refused()
    {
        var whole = _requests.Files($"{Categorization}/UploadFile/?modelId={await NewModelAsync(Categorization)}&category=cats",
            Picture(1));
        var text = Encoding.Latin1.GetString(whole);
        var end = text.LastIndexOf("\r\n--", StringComparison.Ordinal);
        var cut = text[..end].Replace($"Content-Length: {Body(text)}", $"Content-Length: {Body(text[..end])}", StringComparison.Ordinal);
        await RefusedAsync(Encoding.Latin1.GetBytes(cut), 400);
        await RefusedAsync(Encoding.Latin1.GetBytes(
            text.Replace($"Content-Length: {Body(text)}", $"Content-Length: {2L << 30}", StringComparison.Ordinal)), 413);
        await RefusedAsync(_requests.Post($"{Categorization}/Model/", new string('x', 2 << 20)), 413);
    }

    private static int Body(string request) => request.Length - request.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4;

    private static FormPart Picture(int number) => new("file", $"{number}.jpg", null, Pictures.Jpeg(number));

    private async Task<string> NewModelAsync(string kind) =>
        (string)(await host.JsonAsync(_requests.Fields($"{kind}/Model/", "categories=cats&categories=dogs")))["model_id"]!;

    private async Task<JsonNode> RefusedAsync(byte[] request, int status, string? reason = null)
    {
        var error = await host.JsonAsync(request, status);
        Assert.Equal(status, (int)error["code"]!);
        Assert.Equal(["message", "code", "errors"], error.AsObject().Select(p => p.Key));
        Assert.All(error["errors"]!.AsArray(), e => Assert.Equal(["reason", "message"], e!.AsObject().Select(p => p.Key)));
        Assert.False(string.IsNullOrEmpty((string?)error["message"]));
        Assert.Equal(reason ?? (string?)error["errors"]![0]!["reason"], (string?)error["errors"]![0]!["reason"]);
        return error;
    }
}
