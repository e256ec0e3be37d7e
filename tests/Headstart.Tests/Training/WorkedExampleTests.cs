using System.Net;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Training;

/// <summary>62 texts without a category, 8 with one, 2 to predict.</summary>
public sealed class WorkedExampleTests(ToyHost host) : IClassFixture<ToyHost>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task The_two_texts_are_told_apart()
    {
        var model = await _client.GetJsonAsync(host.Model);
        Assert.Equal((62, "4 4"), ((int)model["unlabelledCount"]!,
            string.Join(' ', model["categories"]!.AsArray().Select(category => category!["imageCount"]))));
        var rows = TextFiles.Rows("toy_62_8_2/test_2.tsv");

        var answer = await _client.AskAsync(host.Model, rows.Select(row => row.Text));

        Assert.Equal(rows.Select(row => (row.Text, row.Label)),
            answer["predictions"]!.AsArray().Select(p => ((string)p!["text"]!, p.BestLabel())));
        Assert.Equal(1, (int)answer["version"]!);
    }

    [Fact]
    public async Task An_explanation_says_what_each_word_says_for_the_label()
    {
        var text = TextFiles.Rows("toy_62_8_2/train_8.tsv")[0].Text;
        var response = await _client.PostAsync($"{host.Model}/predictions?explain=true&top=1", TextFiles.Body($"  {text}\n"), Api.Cancel);
        var prediction = (await response.JsonAsync())["predictions"]![0]!;

        var words = prediction["explanation"]!["words"]!.AsArray();
        Assert.Single(prediction["labels"]!.AsArray());
        Assert.Equal((text, prediction.BestLabel()), ((string)prediction["text"]!, (string)prediction["explanation"]!["label"]!));
        Assert.All(words, word => Assert.Equal((string)word!["word"]!, text.Substring((int)word["start"]!, (int)word["length"]!)));
        Assert.Contains("humor", words.Select(word => (string)word!["word"]!));
        Assert.Contains(words, word => (double)word!["weight"]! > 0);
    }

    [Fact]
    public async Task Odd_texts_are_answered_and_what_is_no_text_is_an_entry_with_an_error()
    {
        var odd = (string[])["x", "👍", "这是一个测试", "مرحبا", "\u200F", new string('a', 100_000),
            string.Concat(Enumerable.Repeat("word ", 20_000)).Trim()];
        var answer = await _client.AskAsync(host.Model, odd);
        Assert.All(answer["predictions"]!.AsArray(), p => Assert.InRange((double)p!["labels"]![0]!["probability"]!, 0.5, 1));

        answer = await (await _client.PostAsync($"{host.Model}/predictions",
            new { texts = new[] { " ", "a\0b", null, new string('a', 100_001), "good" } })).JsonAsync();
        Assert.Equal([true, true, true, true, false], answer["predictions"]!.AsArray().Select(p => p!["error"] is not null));
        await Refused(new { texts = new[] { "" } }, HttpStatusCode.UnprocessableEntity, "unreadable-text");
        await Refused(new { texts = Array.Empty<string>() }, HttpStatusCode.UnprocessableEntity, "no-texts");
        await Refused(new { urls = new[] { "http://127.0.0.1/a.jpg" } }, HttpStatusCode.Conflict, "wrong-kind");
        await Refused(new { texts = Enumerable.Repeat("good", 1_001) }, HttpStatusCode.RequestEntityTooLarge, "too-many-texts");
        await (await _client.PostAsync($"{host.Model}/predictions", Api.Raw([0xFF, 0xD8]), Api.Cancel))
            .ProblemAsync(HttpStatusCode.Conflict, "wrong-kind");
        await (await _client.PostAsync($"{host.Model}/predictions", Api.Raw([0xE9], "text/plain"), Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-utf8");

        async Task Refused(object body, HttpStatusCode status, string type) =>
            await (await _client.PostAsync($"{host.Model}/predictions", body)).ProblemAsync(status, type);
    }

    [Fact]
    public async Task What_a_text_model_cannot_do_yet_is_refused_with_a_sentence()
    {
        await (await _client.GetAsync($"{host.Model}/versions/1/export", Api.Cancel))
            .ProblemAsync(HttpStatusCode.Conflict, "export-unavailable");
        var id = host.Model.Split('/')[^1];
        var nano = await (await _client.GetAsync($"/api/v2/ImageCategorization/Model/?modelId={id}", Api.Cancel))
            .JsonAsync(HttpStatusCode.Conflict);
        Assert.Equal("Model classifies texts", (string)nano["errors"]![0]!["reason"]!);
        var unknown = await (await _client.PostAsync($"{host.Model}/training-runs", new { backbone = "mobilenetv2-1.0" }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unknown-backbone");
        Assert.Contains("tfidf", (string)unknown["detail"]!);
    }

    [Fact]
    public async Task The_page_of_a_report_shows_texts_in_place_of_pictures()
    {
        var response = await _client.GetAsync($"{host.Model}/versions/1/report.html", Api.Cancel);
        var page = await response.Content.ReadAsStringAsync(Api.Cancel);

        Assert.Equal((HttpStatusCode.OK, "text/html"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Contains("Hardest texts", page);
        Assert.Contains("<blockquote dir=\"auto\">", page);
        Assert.Contains("<mark ", page);
        Assert.DoesNotContain("<img", page);
        Assert.DoesNotContain(" images", page);
    }
}
