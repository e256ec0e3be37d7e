using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.Access;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Uploads.Texts;

/// <summary>Texts come in by every format, good ones and odd ones, and are listed, moved and deleted.</summary>
public sealed class TextUploadTests(TextUploadTests.SmallHost host) : IClassFixture<TextUploadTests.SmallHost>
{
    private readonly HttpClient _client = host.Client;

    public sealed class SmallHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Uploads:MaxTextBytes", "1000"), ("Headstart:Uploads:MaxTextsBytes", "20000"),
                ("Headstart:Uploads:MaxFileBytes", "100"), ("Headstart:Uploads:MaxRows", "50"), ("Headstart:Uploads:AtOnceFiles", "10")];
    }

    /// <summary>What is sent, and the answer: a status with its type, or what became of each text (its reason, or its category).</summary>
    private static readonly (string What, string Type, byte[] Body, string Answer)[] Bodies =
    [
        ("JSON with and without categories", "application/json", Utf8("""{"texts":[{"text":"one","category":"a"},{"text":"two"},"three",{"text":"four","label":"b","extra":1}]}"""), "a, -, -, b"),
        ("JSON Lines, one of them broken", "application/jsonl", Utf8("{\"text\":\"one\",\"category\":\"a\"}\nbroken\n\n\"two\"\r\n"),
            "a, invalid-row, -"),
        ("CSV with a quoted cell over two lines", "text/csv", Utf8("category,text\na,\"one, \"\"two\"\"\nthree\"\n,four\n"), "a, -"),
        ("CSV with semicolons and a byte order mark", "text/csv", Utf8("\uFEFFtext;label\none;a\n"), "a"),
        ("TSV in which quotes are only quotes", "text/tab-separated-values",
            Utf8("label\ttext\na\t\"one\" he said\nb\t\"two\nc\t\"three\"\n"), "a, b, c"),
        ("TSV with line breaks in quoted cells", "text/tab-separated-values",
            Utf8("text\tcategory\n\"It broke.\n\nIt \"\"just\"\" broke.\nNever again.\"\tbad\nfine\tgood\n"),
            "invalid-row, invalid-row, invalid-row, good"),
        ("TSV with line breaks in two cells of a row", "text/tab-separated-values",
            Utf8("text\treply\tcategory\n\"one\ntwo\"\t\"three\n\"\tbad\n\"four\" he said\t\tgood\n"),
            "invalid-row, invalid-row, invalid-row, good"),
        ("TSV with a row that is too short, and one without text", "text/tab-separated-values", Utf8("label\ttext\na\nb\t\nc\tthree\n"),
            "invalid-row, empty-text, c"),
        ("plain lines", "text/plain", Utf8("one\r\n\r\n  two  \n"), "-, -"),
        ("right-to-left, emoji, no spaces, one sign", "text/plain", Utf8("مرحبا بالعالم\n👍🏽\n这是一个测试\nx\n"), "-, -, -, -"),
        ("a line in Latin-1", "text/plain", [.. Utf8("one\ncaf"), 0xE9, .. Utf8("\n")], "-, -"),
        ("a line in Latin-1 beside one in UTF-8", "text/plain", [.. Utf8("café\ncaf"), 0xE9, .. Utf8("\n")], "-, invalid-utf8"),
        ("lines in UTF-16", "text/plain", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("one\r\ntwo\r\n")], "-, -"),
        ("lines in an encoding that nobody knows", "text/plain", [0x81, 0xFF, 0x8D, 0x0A], "422 unknown-encoding"),
        ("a document instead of lines", "text/plain", [.. Utf8("%PDF-1.7\n"), 0xE2, 0xE3], "422 not-text"),
        ("lines of fastText", "text/plain", Utf8("__label__a one\n__label__b __label__a two\nthree\n"), "a, several-categories, -"),
        ("a column of sentiments, and values that are missing", "text/csv", Utf8("text,sentiment\none,a\ntwo,nan\nthree,#N/A\n"), "a, -, -"),
        ("labels as lists, and one that was refused", "application/jsonl", Utf8("""
            {"id":1,"text":"one","label":["a"]}
            {"id":2,"text":"two","label":[]}
            {"text":"three","label":["a","b"]}
            {"text":"four","label":"b","answer":"reject"}
            {"text":"five","label":"b","answer":"accept"}
            {"text":"six","options":[{"id":"b"}],"accept":["b"],"answer":"accept"}
            {"text":"seven","label":[[0,3,"PER"]]}
            """), "a, -, several-categories, refused-answer, b, b, invalid-row"),
        ("a row in Latin-1", "text/csv", [.. Utf8("text,category\none,a\n"), 0xE9, .. Utf8(",a\n")], "a, a"),
        ("UTF-16", "text/tab-separated-values", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("text\tlabel\none\ta\n")], "a"),
        ("U+0000 and half of a surrogate pair", "application/json", Utf8("""{"texts":["a\u0000b","\ud800","one"]}"""), "invalid-characters, invalid-row, -"),
        ("no text, blanks, other JSON", "application/json", Utf8("""{"texts":["  ",{"text":null},{},5,["one"],{"text":5},"one"]}"""), "empty-text, no-text, no-text, invalid-row, invalid-row, invalid-row, -"),
        ("a category that no model can have", "application/json", Utf8($$"""{"texts":[{"text":"one","category":"{{new string('c', 101)}}"},{"text":"two","category":"a\u0001"},"three"]}"""), "invalid-category, invalid-category, -"),
        ("a split, and one that is none", "application/json", Utf8("""{"texts":[{"text":"one","split":"test"},{"text":"two","split":"half"}]}"""), "-, invalid-split"),
        ("a text that is too long, and one that just fits", "text/plain", Utf8(new string('x', 1_001) + "\n" + new string('y', 1_000)),
            "too-large, -"),
        ("only texts that cannot be used", "text/plain", Utf8(new string('x', 1_001)), "422 nothing-accepted"),
        ("too many texts", "text/plain", Utf8(string.Join('\n', Enumerable.Range(0, 51))), "413 too-many-texts"),
        ("too many bytes", "text/plain", Utf8(new string('\n', 20_001)), "413 too-large"),
        ("nothing", "text/plain", [], "422 no-texts"),
        ("an empty list", "application/json", Utf8("""{"texts":[]}"""), "422 no-texts"),
        ("no list", "application/json", Utf8("""["one"]"""), "422 no-texts"),
        ("JSON that broke off", "application/json", Utf8("""{"texts":["one"""), "400 bad-request"),
        ("JSON a thousand lists deep", "application/json", Utf8("{\"texts\":" + new string('[', 1_000) + new string(']', 1_000) + "}"),
            "400 bad-request"),
        ("a table without a column of texts", "text/csv", Utf8("a,b\none,two\n"), "422 invalid-table"),
        ("an empty table", "text/csv", [], "422 invalid-table"),
        ("a quote that is never closed", "text/csv", Utf8("text,category\n\"one,a\n" + new string('x', 19_000)), "422 nothing-accepted"),
        ("an image", "image/jpeg", [0xFF, 0xD8], "415 unsupported-media-type"),
    ];

    [Fact]
    public async Task Every_format_is_taken_and_what_cannot_be_used_is_listed_with_the_reason()
    {
        foreach (var (what, type, bytes, expected) in Bodies)
        {
            var model = await _client.NewTextModelAsync();
            var response = await SendAsync(model, type, bytes);
            var answer = await response.JsonAsync(response.StatusCode);
            Assert.Equal((what, expected), (what, response.IsSuccessStatusCode ? Outcomes(answer)
                : $"{(int)response.StatusCode} {answer["type"]}"));
        }
    }

    [Fact]
    public async Task A_form_brings_files_and_a_category_for_texts_that_have_none()
    {
        var model = await _client.NewTextModelAsync();
        using var form = new MultipartFormDataContent
        {
            { new StringContent("good"), "category" },
            { new ByteArrayContent(Utf8("one\ntwo\n")), "file", "good.txt" },
            { new ByteArrayContent(Utf8("text,category\nthree,bad\nfour,\n")), "file", "both.csv" },
            { new ByteArrayContent([1, 2, 3]), "file", "image.png" },
        };

        var answer = await (await _client.PostAsync($"{model}/texts", form, Api.Cancel)).JsonAsync();

        Assert.Equal([("one", "good", "good.txt"), ("two", "good", "good.txt"), ("three", "bad", "both.csv"), ("four", "good", "both.csv")],
            answer["accepted"]!.AsArray().Select(text => ((string)text!["text"]!, (string)text["category"]!, (string)text["fileName"]!)));
        Assert.Equal(("image.png", "unknown-format", 4),
            ((string)answer["rejected"]![0]!["fileName"]!, (string)answer["rejected"]![0]!["reason"]!,
            (int)answer["rejected"]![0]!["index"]!));
    }

    [Fact]
    public async Task A_file_in_a_form_may_be_as_large_as_a_body_of_its_own()
    {
        using var form = new MultipartFormDataContent
        {
            // larger than an image may be
            { new ByteArrayContent(Utf8(string.Join('\n', Enumerable.Repeat(new string('x', 999), 20)))), "file", "fits.txt" },
            { new ByteArrayContent(Utf8(new string('\n', 20_001))), "file", "large.txt" },
        };

        var answer = await (await _client.PostAsync($"{await _client.NewTextModelAsync()}/texts", form, Api.Cancel)).JsonAsync();

        Assert.Equal(20, answer["accepted"]!.AsArray().Count);
        Assert.Equal(("large.txt", "too-large"),
            ((string)answer["rejected"]![0]!["fileName"]!, (string)answer["rejected"]![0]!["reason"]!));
        Assert.Contains("send it in parts", (string)answer["rejected"]![0]!["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_is_there_once_gains_a_category_and_keeps_it_until_a_person_moves_it()
    {
        var model = await _client.NewTextModelAsync();
        var first = (await _client.AddTextsAsync(model,
            [("", "so good"), ("good", "\r\n so good \n"), ("", "so good"), ("bad", "awful")]))["accepted"]!.AsArray();
        Assert.Equal([("good", false), ("good", true), ("good", true), ("bad", false)],
            first.Select(text => ((string)text!["category"]!, (bool?)text["alreadyThere"] is true)));
        var id = (string)first[0]!["id"]!;

        var again = await _client.PostAsync($"{model}/texts?category=bad", TextFiles.Body("so good"), Api.Cancel);
        var refused = await again.ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");
        Assert.Contains(id, (string)refused["rejected"]![0]!["detail"]!);
        var moved = await (await _client.PostAsync($"{model}/feedback", new { text = "so good", category = "bad" })).JsonAsync();
        Assert.Equal((id, "bad", true), ((string)moved["accepted"]![0]!["id"]!, (string)moved["accepted"]![0]!["category"]!,
            (bool)moved["accepted"]![0]!["confirmed"]!));
        var back = await (await _client.SendAsync(HttpMethod.Patch, $"{model}/texts/{id}", new { category = "good" })).JsonAsync();
        Assert.Equal(("so good", "good", true), ((string)back["text"]!, (string)back["category"]!, (bool)back["confirmed"]!));
    }

    [Fact]
    public async Task Texts_are_listed_by_category_and_by_whether_they_have_one_and_deleted()
    {
        var model = await _client.NewTextModelAsync("good", "bad");
        await _client.AddTextsAsync(model, [("good", "one"), ("bad", "two"), ("", "three"), ("", "four")]);
        Assert.Equal((2, "ready"), ((int)(await _client.GetJsonAsync(model))["unlabelledCount"]!,
            (string)(await _client.GetJsonAsync(model))["state"]!));

        async Task<string> ListAsync(string query) =>
            string.Join(' ', (await _client.GetJsonAsync($"{model}/texts?{query}"))["items"]!.AsArray().Select(text => text!["text"]));
        Assert.Equal("four three two one", await ListAsync(""));
        Assert.Equal("one", await ListAsync("category=good"));
        Assert.Equal("two one", await ListAsync("labelled=true"));
        Assert.Equal("four", await ListAsync("labelled=false&limit=1"));

        var three = (string)(await _client.GetJsonAsync($"{model}/texts?labelled=false"))["items"]![1]!["id"]!;
        await (await _client.SendAsync(HttpMethod.Patch, $"{model}/texts/{three}", new { confirmed = true }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-category");
        await (await _client.SendAsync(HttpMethod.Patch, $"{model}/texts/{three}", new { category = "ugly" }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unknown-category");
        Assert.Equal(HttpStatusCode.NoContent, (await _client.DeleteAsync($"{model}/texts/{three}", Api.Cancel)).StatusCode);
        await (await _client.GetAsync($"{model}/texts/{three}", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "text-not-found");
        Assert.Equal("four", await ListAsync("labelled=false"));
        await (await _client.PostAsync($"{model}/texts", new { texts = new[] { new { text = "five", category = "ugly" } } }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");
        var two = (string)(await _client.GetJsonAsync($"{model}/texts?category=bad"))["items"]![0]!["id"]!;
        await _client.DeleteAsync($"{model}/texts/{two}", Api.Cancel);
        await (await _client.PostAsync($"{model}/training-runs", new { }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-few-texts");
    }

    [Fact]
    public async Task What_is_for_images_names_the_address_for_texts_and_the_other_way_round()
    {
        var (texts, images) = (await _client.NewTextModelAsync("a", "b"), await _client.NewModelAsync("a", "b"));
        foreach (var path in (string[])["images", "imports", "image-searches"])
        {
            var refused = await (await _client.GetAsync($"{texts}/{path}", Api.Cancel)).ProblemAsync(HttpStatusCode.Conflict, "wrong-kind");
            Assert.Contains($"{texts}/texts", (string)refused["detail"]!);
        }

        await (await _client.PostAsync($"{texts}/images", Api.Form("a", ("a.jpg", [1])), Api.Cancel))
            .ProblemAsync(HttpStatusCode.Conflict, "wrong-kind");
        var other = await (await _client.PostAsync($"{images}/texts", TextFiles.Body("one"), Api.Cancel))
            .ProblemAsync(HttpStatusCode.Conflict, "wrong-kind");
        Assert.Contains($"{images}/images", (string)other["detail"]!);
        await (await _client.PostAsync($"{images}/feedback", new { text = "one", category = "a" }))
            .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        await (await _client.PostAsync($"{texts}/feedback", Api.Form("a", ("a.jpg", [1])), Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");

        using var stranger = await host.OtherAccountAsync();
        await (await stranger.GetAsync($"{texts}/texts", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        await (await stranger.GetAsync($"{texts}/images", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        await (await stranger.PostAsync($"{texts}/texts", TextFiles.Body("one"), Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private Task<HttpResponseMessage> SendAsync(string model, string type, byte[] bytes) =>
        _client.PostAsync($"{model}/texts", new ByteArrayContent(bytes) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } },
            Api.Cancel);

    /// <summary>The texts in the order in which they were sent.</summary>
    private static string Outcomes(JsonNode answer)
    {
        var rejected = answer["rejected"]!.AsArray().ToDictionary(text => (int)text!["index"]!, text => (string)text!["reason"]!);
        var accepted = new Queue<string>(answer["accepted"]!.AsArray().Select(text => (string?)text!["category"] ?? "-"));
        return string.Join(", ", Enumerable.Range(0, rejected.Count + accepted.Count)
            .Select(i => rejected.TryGetValue(i, out var reason) ? reason : accepted.Dequeue()));
    }
}
