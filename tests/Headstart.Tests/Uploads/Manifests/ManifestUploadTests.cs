using System.Net;
using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads.Manifests;

/// <summary>Lists of images: in base64, or as the manifest of a form. Those that name addresses are imports.</summary>
[Collection<ArchivesHost>]
public sealed class ManifestUploadTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    private static string Base64(int number) => Convert.ToBase64String(Pictures.Tiny(number));

    [Fact]
    public async Task Images_in_base64_are_answered_at_once()
    {
        var answer = await SendAsync("application/json", $$"""
            {"comment":{"images":[1]},"images":[
                {"base64":"{{Base64(1)}}","category":"cats","fileName":"a.png"},
                {"base64":"data:image/png;base64,{{Base64(2)}}","categories":["dogs"],"other":5},
                {"base64":"{{Base64(3)[..40]}}\n{{Base64(3)[40..]}}","category":"cats","split":"test"}],"more":true}
            """);
        Assert.Equal(["a.png cats", "row 2 dogs", "row 3 cats"], UploadCalls.Accepted(answer));
        Assert.Equal("test", (string?)answer["accepted"]![2]!["split"]);
        Assert.Empty(UploadCalls.Rejected(answer));
    }

    [Theory]
    [InlineData("application/x-ndjson")]
    [InlineData("application/jsonl; charset=utf-8")]
    public async Task Json_lines_may_have_a_mark_in_front_blank_lines_and_windows_ends(string type)
    {
        var answer = await SendAsync(type,
            $"\uFEFF{{\"base64\":\"{Base64(4)}\",\"category\":\"cats\"}}\r\n\r\n{{\"base64\":\"{Base64(5)}\",\"category\":\"dogs\"}}");
        Assert.Equal(["row 1 cats", "row 2 dogs"], UploadCalls.Accepted(answer));
    }

    [Fact]
    public async Task Rows_that_cannot_be_used_are_listed_and_the_others_kept()
    {
        var answer = await SendAsync("application/x-ndjson", string.Join('\n',
            $$"""{"base64":"{{Base64(6)}}","category":"cats","fileName":"good.png"}""",
            "{", "[1]", "5", "null", """{"base64":17}""", """{"category":"cats"}""", """{"file":"a.jpg","category":"cats"}""",
            """{"base64":"no base64!","category":"cats"}""", """{"base64":"data:image/png,abc","category":"cats"}""", """{"base64":"","category":"cats"}""",
            $$"""{"base64":"{{Base64(7)}}"}""", $$"""{"base64":"{{Base64(7)}}","category":"wolves"}""", $$"""{"base64":"{{Base64(7)}}","category":""}""",
            $$"""{"base64":"{{Base64(7)}}","categories":[null]}""", $$"""{"base64":"{{Base64(7)}}","categories":["cats","dogs"]}""",
            $$"""{"base64":"{{Base64(7)}}","category":"cats","split":"both"}""", """{"base64":"AAAA","url":"http://example.com","category":"cats"}"""), "?async=false"); // one row has an address
        Assert.Equal(["good.png cats"], UploadCalls.Accepted(answer));
        Assert.Equal(
            ["invalid-row", "invalid-row", "invalid-row", "invalid-row", "invalid-row", "nothing-named", "file-not-sent", "invalid-base64",
            "invalid-base64", "empty",
                "missing-category", "unknown-category", "invalid-category", "invalid-category", "several-categories", "invalid-split",
                    "url-and-base64"],
            answer["rejected"]!.AsArray().Select(r => (string?)r!["reason"]));
        Assert.All(answer["rejected"]!.AsArray(), r => Assert.EndsWith(".", (string?)r!["detail"]));
    }

    [Fact]
    public async Task Rows_with_folders_of_another_computer_or_in_another_case_are_about_the_file_they_mean()
    {
        var model = await _client.NewModelAsync();
        var table = "file,category\nC:\\Users\\me\\a.png,cats\nB.PNG,dogs\n/data/x/c.png,cats\n/data/y/c.png,dogs\nsub/d.png,cats\ne.png,#N/A\n";
        var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(("labels.csv", Encoding.UTF8.GetBytes(table)),
            ("a.png", Pictures.Tiny(1)), ("b.png", Pictures.Tiny(2)), ("c.png", Pictures.Tiny(3)), ("other/d.png", Pictures.Tiny(4)),
            ("sub/more.png", Pictures.Tiny(5)), ("e.png", Pictures.Tiny(6)))))).JsonAsync();

        Assert.Equal(["a.png cats", "b.png dogs"], UploadCalls.Accepted(answer));
        Assert.Equal(["c.png not-in-manifest", "other/d.png not-in-manifest", "sub/more.png not-in-manifest", "e.png invalid-category",
            "/data/x/c.png missing-file", "/data/y/c.png missing-file", "sub/d.png missing-file"], UploadCalls.Rejected(answer));
    }

    [Fact]
    public async Task A_cell_may_have_a_list_as_Python_prints_it_and_a_column_may_say_what_is_for_testing()
    {
        var model = await _client.NewModelAsync();
        var table = "file,category,is_test\na.png,['cats'],0\nb.png,\"[\"\"dogs\"\"]\",1\nc.png,dogs,True\n";
        (string, byte[])[] files = [("a.png", Pictures.Tiny(1)), ("b.png", Pictures.Tiny(2)), ("c.png", Pictures.Tiny(3))];
        foreach (var name in (string[])["labels.csv", "other.csv"])
        {
            var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip([(name, Encoding.UTF8.GetBytes(table)),
                .. files])))).JsonAsync();
            Assert.Equal(["a.png cats", "b.png dogs", "c.png dogs"], UploadCalls.Accepted(answer));
            Assert.Equal(["train", "test", "test"], answer["accepted"]!.AsArray().Select(image => (string?)image!["split"]));
        }
    }

    [Fact]
    public async Task Json_lines_may_call_the_address_as_other_tools_do()
    {
        var model = await _client.NewModelAsync();
        var answer = await (await _client.SendImagesAsync(model, UploadCalls.Body("application/x-ndjson",
            "{\"image_url\":\"http://10.0.0.1/a.png\",\"tag\":\"cats\"}\n{\"image\":\"data:image/png;base64,"
                + $"{Base64(1)}\",\"label\":\"dogs\"}}"), "?async=false")).JsonAsync();
        Assert.Equal(["row 2 dogs"], UploadCalls.Accepted(answer));
        Assert.Equal(["a.png private-address"], UploadCalls.Rejected(answer));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_form_may_have_a_manifest_before_its_files(bool asFile)
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var manifest = "file,category\na.png,cats\nphotos/b.png,dogs\ngone.png,cats\n"u8.ToArray();
        using var form = new Form().Part($"form-data; name=\"manifest\"{(asFile ? "; filename=\"labels.csv\"" : "")}", manifest)
            .File("a.png", Pictures.Tiny(8)).File("photos/b.png", Pictures.Tiny(9)).File("c.png", Pictures.Tiny(10))
            .Field("category", "dogs").File("d.png", Pictures.Tiny(11)).Content();

        var answer = await (await _client.SendImagesAsync(model, form)).JsonAsync();

        Assert.Equal(["a.png cats", "photos/b.png dogs", "d.png dogs"], UploadCalls.Accepted(answer));
        Assert.Equal(["c.png not-in-manifest", "gone.png missing-file"], UploadCalls.Rejected(answer));
    }

    [Fact]
    public async Task What_a_manifest_does_not_say_for_certain_about_a_file_of_a_form_is_no_label()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        using var twice = new Form().Part("form-data; name=\"manifest\"", "file,category\na.png,cats\n"u8.ToArray())
            .File("a.png", Pictures.Tiny(1)).File("a.png", Pictures.Tiny(2)).Content();
        var answer = await (await _client.SendImagesAsync(model, twice)).JsonAsync();
        Assert.Equal(["a.png cats"], UploadCalls.Accepted(answer));
        Assert.Equal(["a.png ambiguous-row"], UploadCalls.Rejected(answer));

        var tasks = string.Join(',', new[] { ("11111111-a", "cats"), ("22222222-a", "dogs"), ("33333333-b", "dogs") }.Select((task, i) =>
            $"{{\"image\":\"/data/upload/1/{task.Item1}.png\",\"choice\":\"{task.Item2}\",\"annotation_id\":{i},\"lead_time\":1}}"));
        using var numbers = new Form().Part("form-data; name=\"manifest\"", Encoding.UTF8.GetBytes($"[{tasks}]"))
            .File("a.png", Pictures.Tiny(3)).File("b.png", Pictures.Tiny(4)).Content();
        answer = await (await _client.SendImagesAsync(model, numbers)).JsonAsync();
        Assert.Equal(["b.png dogs"], UploadCalls.Accepted(answer));
        Assert.Equal(["a.png ambiguous-row", "11111111-a.png missing-file", "22222222-a.png missing-file"], UploadCalls.Rejected(answer));

        using var shifted = new Form().Part("form-data; name=\"manifest\"", "file,category\na.png,cats,dogs\nb.png,dogs,,\n"u8.ToArray())
            .File("a.png", Pictures.Tiny(8)).File("b.png", Pictures.Tiny(9)).Content();
        answer = await (await _client.SendImagesAsync(model, shifted)).JsonAsync();
        Assert.Equal(["b.png dogs"], UploadCalls.Accepted(answer));
        Assert.Equal(["a.png invalid-row"], UploadCalls.Rejected(answer));

        using var without = new Form().Field("category", "cats").File("a.png", Pictures.Tiny(5)).File("a.png", Pictures.Tiny(6))
            .Field("category", "dogs").File("a.png", Pictures.Tiny(7)).Content();
        Assert.Equal(["a.png cats", "a.png cats", "a.png dogs"],
            UploadCalls.Accepted(await (await _client.SendImagesAsync(model, without)).JsonAsync()));
    }

    [Fact]
    public async Task A_second_manifest_and_more_categories_for_a_file_than_a_model_has_are_refused()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        using var second = new Form().Part("form-data; name=\"manifest\"", "file,category\na.png,cats\n"u8.ToArray())
            .Part("form-data; name=\"manifest\"", "file,category\na.png,dogs\n"u8.ToArray()).File("a.png", Pictures.Tiny(1)).Content();
        await (await _client.SendImagesAsync(model, second)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "several-manifests");

        var rows = string.Concat(Enumerable.Range(0, 1_001).Select(i => $"a.png,c{i}\n"));
        using var many = new Form().Part("form-data; name=\"manifest\"", System.Text.Encoding.UTF8.GetBytes($"file,category\n{rows}"))
            .File("a.png", Pictures.Tiny(1)).Content();
        await (await _client.SendImagesAsync(model, many)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-many-categories");
        Assert.Equal(0, await _client.CountAsync(model));
    }

    [Fact]
    public async Task A_manifest_of_a_form_that_cannot_be_read_is_refused_before_any_file()
    {
        var model = await _client.NewModelAsync("cats");
        using var form = new Form().Part("form-data; name=\"manifest\"", "who,what\na.png,cats\n"u8.ToArray())
            .File("a.png", Pictures.Tiny(12)).Content();
        await (await _client.SendImagesAsync(model, form)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-manifest");
        Assert.Equal(0, await _client.CountAsync(model));
    }

    private async Task<System.Text.Json.Nodes.JsonNode> SendAsync(string type, string body, string query = "") =>
        await (await _client.SendImagesAsync(await _client.NewModelAsync("cats", "dogs"),
            UploadCalls.Body(type, Encoding.UTF8.GetBytes(body)), query)).JsonAsync();
}
