using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Headstart.Tests.BatchPredictions;

/// <summary>Batches of a model of texts.</summary>
public sealed class TextBatchTests(ToyHost host) : IClassFixture<ToyHost>
{
    private readonly HttpClient _client = host.Client;

    /// <summary>Others than those it was trained on.</summary>
    private static string[] Sentences => [.. TextFiles.Rows("toy_62_8_2/test_2.tsv").Select(row => row.Text), "an insult to every taste",
        "这是一个测试 👍"];

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/jsonl")]
    [InlineData("text/csv")]
    [InlineData("text/plain")]
    [InlineData("multipart/form-data")]
    public async Task Texts_are_answered_as_predictions_at_once_are_however_they_come(string mediaType)
    {
        var expected = (await _client.AskAsync(host.Model, Sentences))["predictions"]!.AsArray();

        var lines = await _client.AnswerBatchAsync(host.Model, Content(mediaType));

        Assert.Equal(Sentences, lines.Select(line => (string)line["text"]!));
        Assert.All(lines, line => Assert.Null(line["textId"]));
        Assert.All(lines, line => Assert.Equal(mediaType == "multipart/form-data" ? "reviews.csv" : null, (string?)line["fileName"]));
        foreach (var (prediction, line) in expected.Zip(lines))
        {
            Assert.Equal(prediction!["labels"]!.ToJsonString(), line["labels"]!.ToJsonString());
            Assert.Equal((bool)prediction["unknown"]!, (bool)line["unknown"]!);
        }
    }

    [Fact]
    public async Task Stored_texts_are_chosen_by_category_and_whether_they_have_one_or_by_id()
    {
        var all = await _client.AnswerBatchAsync(host.Model, Batches.Stored(new { storedTexts = new { } }));
        Assert.Equal(70, all.Length);
        Assert.Equal(62, (await _client.AnswerBatchAsync(host.Model, Batches.Stored(new { storedTexts = new { labelled = false } })))
            .Length);
        var positive = await _client.AnswerBatchAsync(host.Model, Batches.Stored(new { storedTexts = new { category = "pos" } }));
        Assert.Equal(TextFiles.Rows("toy_62_8_2/train_8.tsv").Where(row => row.Label == "pos").Select(row => row.Text).Order(),
            positive.Select(line => (string)line["text"]!).Order());

        string[] ids = [(string)all[5]["textId"]!, (string)all[0]["textId"]!, (string)all[5]["textId"]!];
        var named = await _client.AnswerBatchAsync(host.Model, Batches.Stored(new { textIds = ids }));

        Assert.Equal(ids, named.Select(line => (string)line["textId"]!));
        Assert.Equal(((string)all[5]["text"]!, (string)all[0]["text"]!), ((string)named[0]["text"]!, (string)named[1]["text"]!));
    }

    [Fact]
    public async Task The_table_has_texts_that_no_spreadsheet_runs_and_what_cannot_be_read_is_a_row_with_an_error()
    {
        var sent = new
        {
            texts = new object?[] { "=1+1, said \"she\"\nand left", " ", new { text = "good fun", category = "pos" }, 5,
            "a\0b", null }
        };
        var batch = await _client.EndOfBatchAsync(host.Model, await _client.StartBatchAsync(host.Model, Batches.Stored(sent)));

        Assert.Equal(("succeeded", 6, 4), ((string?)batch["state"], (int)batch["done"]!, (int)batch["failed"]!));
        var (header, rows) = await _client.TableAsync(host.Model, batch);
        Assert.Equal(["text", "textId", "fileName", "label", "probability", "unknown", "error", "neg", "pos"], header);
        Assert.Equal(["'=1+1, said \"she\"\nand left", "", "good fun", "", "", ""], rows.Select(row => row["text"]));
        Assert.Equal([true, false, true, false, false, false], rows.Select(row => row["error"].Length == 0));
        Assert.Equal(1, double.Parse(rows[2]["pos"], CultureInfo.InvariantCulture)
            + double.Parse(rows[2]["neg"], CultureInfo.InvariantCulture), 4);
    }

    [Fact]
    public async Task A_file_that_is_not_what_its_name_says_is_a_result_with_an_error_and_the_others_are_answered()
    {
        (string, string)[] files = [("good.csv", "text\none, with a comma\n\"two\nlines\"\n"), ("columns.csv", "foo,bar\n1,2\n"),
            ("empty.csv", ""), ("broken.json", "{nope"),
            ("list.json", "[\"a\"]"), ("surrogate.json", "{\"t\\ud800\":1}"), ("photo.pdf", "%PDF"),
            ("open.csv", "text,category\ngood,pos\n\"never closed,pos\nbad,neg\n"),
            ("more.csv", "category,text\npos,so good, really\n"), ("tabs.tsv", "text\nline one\nline \"two\"\n"),
            ("numbers.jsonl", "{\"text\":\"fine\",\"label\":1}\n")];

        var lines = await _client.AnswerBatchAsync(host.Model,
            Api.Form(null, files.Select(file => (file.Item1, Encoding.UTF8.GetBytes(file.Item2)))));

        Assert.Equal(["good.csv: one, with a comma", "good.csv: two\nlines", "columns.csv", "empty.csv", "broken.json", "list.json",
            "surrogate.json", "photo.pdf", "open.csv: good", "open.csv",
            "more.csv", "tabs.tsv: line one", "tabs.tsv: line \"two\"", "numbers.jsonl: fine"],
            lines.Select(line => (string)line["fileName"]! + (line["text"] is { } text ? $": {text}" : "")));
        Assert.All(lines, line => Assert.Equal(line["text"] is null, line["error"] is not null));
        Assert.Contains("never closed", (string)lines[9]["error"]!);
        Assert.Contains("in quotes", (string)lines[10]["error"]!);
    }

    [Fact]
    public async Task A_model_may_be_deleted_while_its_batches_are_answered()
    {
        SharedData.Folder("datasets/text");
        var model = await _client.NewTextModelAsync("pos", "neg");
        await _client.AddTextsAsync(model, TextFiles.Rows("toy_62_8_2/train_8.tsv"));
        await _client.TrainAsync(model, new { backbone = "tfidf" });
        await using var held = new NpgsqlConnection(await host.QueryAsync(db => Task.FromResult(db.Database.GetConnectionString())));
        await held.OpenAsync(Api.Cancel);
        // The worker waits in the middle of its transaction, and the deletion for the worker, before it goes on.
        await ExecuteAsync("""
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END $$;
            CREATE TRIGGER hold BEFORE UPDATE ON batch_items FOR EACH ROW EXECUTE FUNCTION hold();
            SELECT pg_advisory_lock(42);
            """);
        await _client.StartBatchAsync(model, TextFiles.Body("good fun, and short"));
        await UntilWaitsAsync("locktype = 'advisory' AND objid = 42");
        var deletion = _client.DeleteAsync(model, Api.Cancel);
        await UntilWaitsAsync("locktype = 'transactionid'");
        await ExecuteAsync("SELECT pg_advisory_unlock(42)");

        Assert.Equal(HttpStatusCode.NoContent, (await deletion).StatusCode);
        await ExecuteAsync("DROP TRIGGER hold ON batch_items; DROP FUNCTION hold");

        async Task<object?> ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, held);
            return await command.ExecuteScalarAsync(Api.Cancel);
        }

        async Task UntilWaitsAsync(string what)
        {
            while (await ExecuteAsync("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE datname = "
                + $"current_database() AND NOT granted AND {what}") is 0L)
            {
                await Task.Delay(20, Api.Cancel);
            }
        }
    }

    [Fact]
    public async Task A_request_that_has_no_texts_is_refused_with_a_sentence()
    {
        await Refused(Batches.Stored(new { }), HttpStatusCode.UnprocessableEntity, "no-texts-named");
        await Refused(Batches.Stored(new { images = new { } }), HttpStatusCode.UnprocessableEntity, "no-texts-named");
        await Refused(Batches.Stored(new { texts = new[] { "a" }, storedTexts = new { } }), HttpStatusCode.UnprocessableEntity,
            "no-texts-named");
        await Refused(Batches.Stored(new { texts = Array.Empty<string>() }), HttpStatusCode.UnprocessableEntity, "no-texts");
        await Refused(Batches.Stored(new { storedTexts = new { category = "ugly" } }), HttpStatusCode.UnprocessableEntity,
            "unknown-category");
        await Refused(Batches.Stored(new { textIds = new[] { Guid.Empty } }), HttpStatusCode.UnprocessableEntity, "unknown-text");
        await Refused(Batches.Stored(new { texts = "a" }), HttpStatusCode.UnprocessableEntity, "no-texts-named");
        await Refused(Batches.Stored(new { texts = new[] { "a" }, images = new { } }), HttpStatusCode.UnprocessableEntity,
            "no-texts-named");
        await Refused(TextFiles.Body("{\"t\\ud800\":1}", "application/json"), HttpStatusCode.BadRequest, "bad-request");
        await Refused(TextFiles.Body("\n\n"), HttpStatusCode.UnprocessableEntity, "no-texts");
        await Refused(Batches.Archive(Batches.Zip(("a.txt", [65]))), HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        await Refused(TextFiles.Body(string.Concat(Enumerable.Repeat("good\n", 100_001))), HttpStatusCode.RequestEntityTooLarge,
            "too-many-texts");

        async Task Refused(HttpContent content, HttpStatusCode status, string type) =>
            await (await _client.SendBatchAsync(host.Model, content)).ProblemAsync(status, type);
    }

    [Fact]
    public async Task Stored_texts_may_take_as_many_bytes_as_sent_ones()
    {
        SharedData.Folder("datasets/text");
        var model = await _client.NewTextModelAsync("pos", "neg");
        var @long = string.Concat(Enumerable.Repeat("good fun ", 11_000));
        var added = await _client.AddTextsAsync(model, TextFiles.Rows("toy_62_8_2/train_8.tsv").Append(("pos", @long)));
        await _client.TrainAsync(model, new { backbone = "tfidf" });
        var id = (Guid)added["accepted"]!.AsArray()[^1]!["id"]!;

        var named = Batches.Stored(new { textIds = Enumerable.Repeat(id, 700) });
        await (await _client.SendBatchAsync(model, named)).ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");

        await host.QueryAsync(db => db.Database.ExecuteSqlAsync($"UPDATE examples SET bytes = 700 * bytes WHERE id = {id}", Api.Cancel));
        foreach (var body in (object[])[new { storedTexts = new { } }, new { textIds = new[] { id } }])
        {
            await (await _client.SendBatchAsync(model, Batches.Stored(body)))
                .ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");
        }

        var others = Batches.Stored(new { storedTexts = new { category = "neg" } });
        Assert.NotEmpty(await _client.AnswerBatchAsync(model, others));
    }

    [Fact]
    public async Task Thousands_of_texts_are_answered_in_their_order()
    {
        string[] texts = [.. Enumerable.Range(0, 5_000).Select(i => $"{Sentences[i % Sentences.Length]} {i}")];

        var lines = await _client.AnswerBatchAsync(host.Model, TextFiles.Body(string.Join('\n', texts)));

        Assert.Equal(texts, lines.Select(line => (string)line["text"]!));
        Assert.All(lines, line => Assert.Equal(2, line["labels"]!.AsArray().Count));
    }

    private static HttpContent Content(string mediaType)
    {
        var table = "text,category\n" + string.Concat(Sentences.Select(text => $"\"{text.Replace("\"", "\"\"")}\",pos\n"));
        return mediaType switch
        {
            "application/json" => Batches.Stored(new { texts = Sentences }),
            "application/jsonl" => TextFiles.Body(string.Concat(Sentences.Select(text => JsonValue.Create(text).ToJsonString() + "\n")),
            mediaType),
            "text/csv" => TextFiles.Body(table, mediaType),
            "text/plain" => TextFiles.Body(string.Join('\n', Sentences), mediaType),
            _ => Api.Form(null, ("reviews.csv", Encoding.UTF8.GetBytes(table))),
        };
    }
}
