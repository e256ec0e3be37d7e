using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Access;
using Headstart.Tests.Predictions;
using Headstart.Tests.Uploads;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Tests.BatchPredictions;

[Collection<PredictionsHost>]
public sealed class BatchPredictionsTests(TrainedHost host)
{
    private readonly HttpClient _client = host.Client;

    /// <summary>Others than those it was trained on.</summary>
    private static string[] Photographs => [.. Pets.Cats[^4..], .. Pets.Dogs[^4..]];

    [Fact]
    public async Task Files_of_a_form_are_answered_as_predictions_one_by_one_are()
    {
        var answer = await _client.SendBatchAsync(host.Model, Batches.Photographs(Photographs));
        var batch = await answer.JsonAsync(HttpStatusCode.Accepted);
        Assert.Equal(Batches.PathOf(host.Model, batch), answer.Headers.Location?.ToString());
        Assert.Equal((host.Model[^36..], 1, 8), ((string?)batch["modelId"], (int)batch["version"]!, (int)batch["images"]!));

        var ended = await _client.EndOfBatchAsync(host.Model, batch);

        Assert.Equal(("succeeded", 1.0, 8, 0), ((string?)ended["state"], (double)ended["progress"]!, (int)ended["done"]!,
            (int)ended["failed"]!));
        Assert.Null(ended["secondsLeft"]);
        Assert.True((DateTime)ended["finishedAt"]! >= (DateTime)ended["createdAt"]!);
        await AgreeAsync(Photographs, await _client.LinesAsync(host.Model, ended));
    }

    [Fact]
    public async Task Files_of_an_archive_are_answered_in_its_order_whatever_folders_they_lie_in()
    {
        var zip = Batches.Zip([("photos/", []), .. Photographs.Select(f => ($"photos/{Path.GetFileName(f)}", File.ReadAllBytes(f))),
            ("__MACOSX/photos/._a.jpg", [1]), ("photos/.DS_Store", [1]), ("nested.zip", Batches.Zip(("a.jpg", Pets.Cat)))]);

        var lines = await _client.AnswerBatchAsync(host.Model, Batches.Archive(zip));

        Assert.Equal([.. Photographs.Select(f => $"photos/{Path.GetFileName(f)}"), "nested.zip"],
            lines.Select(l => (string?)l["fileName"]));
        Assert.StartsWith("This is an archive inside the archive", (string?)lines[^1]["error"]);
        await AgreeAsync(Photographs, lines[..^1]);
    }

    [Fact]
    public async Task Those_who_read_results_slowly_keep_no_connection_to_the_database_from_others()
    {
        var model = await _client.NewModelAsync();
        var batch = Guid.CreateVersion7();
        await host.QueryAsync(db => db.Database.ExecuteSqlAsync($"""
            INSERT INTO batch_predictions (id, model_id, version, state, images, bytes, done, failed, created_at)
            VALUES ({batch}, {Guid.Parse(model[^36..])}, 1, 'Succeeded', 2000, 0, 2000, 2000, now());
            INSERT INTO batch_items (batch_id, position, file_name, answer)
            SELECT {batch}, n, n || '.jpg', jsonb_build_object('labels', '[]'::jsonb, 'error', repeat('x', 10000))
            FROM generate_series(0, 1999) AS n
            """, Api.Cancel));

        var readers = new List<Task<HttpResponseMessage>>();
        for (var i = 0; i < 12; i++) // more than the host has connections
        {
            readers.Add(_client.GetAsync($"{model}/batch-predictions/{batch}/results", HttpCompletionOption.ResponseHeadersRead,
                Api.Cancel));
        }

        foreach (var reader in await Task.WhenAll(readers))
        {
            Assert.Equal(HttpStatusCode.OK, reader.StatusCode);
        }

        await _client.GetJsonAsync(model);
        using var last = await readers[^1];
        var lines = (await last.Content.ReadAsStringAsync(Api.Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Range(0, 2_000).Select(i => $"{i}.jpg"), lines.Select(line => (string?)JsonNode.Parse(line)!["fileName"]));
        foreach (var reader in readers)
        {
            (await reader).Dispose();
        }
    }

    [Fact]
    public async Task Stored_images_are_chosen_by_category_and_split_or_by_id_and_carry_their_ids()
    {
        var images = (await _client.GetJsonAsync($"{host.Model}/images?limit=200"))["items"]!.AsArray().Reverse().ToList();
        var cats = images.Where(i => (string?)i!["category"] == "cats").ToList();

        var ofCats = await _client.AnswerBatchAsync(host.Model, Batches.Stored(new { images = new { category = "cats" } }));
        Assert.Equal(cats.Select(i => (string?)i!["id"]), ofCats.Select(l => (string?)l["imageId"]));
        var files = cats.Select(i => Path.Combine(Pets.Folder, "cats", (string)i!["fileName"]!)).ToArray();
        await AgreeAsync(files, ofCats, tolerance: 1e-4);

        var tested = await _client.AnswerBatchAsync(host.Model, Batches.Stored(new { images = new { split = "test" } }));
        Assert.Equal(images.Where(i => (string?)i!["split"] == "test").Select(i => (string?)i!["id"]),
            tested.Select(l => (string?)l["imageId"]));
        Assert.Equal(images.Count, (await _client.AnswerBatchAsync(host.Model, Batches.Stored(new { images = new { } }))).Length);

        string[] ids = [(string)cats[2]!["id"]!, (string)images[^1]!["id"]!, (string)cats[0]!["id"]!];
        Assert.Equal(ids, (await _client.AnswerBatchAsync(host.Model, Batches.Stored(new { imageIds = ids })))
            .Select(l => (string?)l["imageId"]));
    }

    [Fact]
    public async Task A_request_that_names_no_image_is_refused_with_a_sentence()
    {
        foreach (var (body, type) in new (object, string)[]
        {
            (new { }, "no-images-named"), (new { images = new { }, imageIds = Array.Empty<string>() }, "no-images-named"),
            (new { imageIds = Array.Empty<string>() }, "no-files"),
            (new { imageIds = new[] { Guid.CreateVersion7() } }, "unknown-image"),
            (new { images = new { category = "birds" } }, "unknown-category"),
        })
        {
            await (await SendAsync(Batches.Stored(body))).ProblemAsync(HttpStatusCode.UnprocessableEntity, type);
        }

        await (await SendAsync(Batches.Stored(new { images = new { split = "both" } })))
            .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        await (await SendAsync(new Form().Field("note", "x").Content())).ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-files");
        await (await SendAsync(Batches.Archive(Batches.Zip()))).ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-files");
        await (await SendAsync(Form.Of(Pets.Cat, "image/jpeg")))
            .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        await (await SendAsync(Batches.Photographs(Photographs[0]), "?version=9"))
            .ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
        var untrained = await _client.NewModelAsync("cats", "dogs");
        await (await _client.SendBatchAsync(untrained, Batches.Photographs(Photographs[0])))
            .ProblemAsync(HttpStatusCode.Conflict, "no-published-version");
    }

    [Fact]
    public async Task A_damaged_file_is_a_row_with_an_error_and_the_others_are_answered()
    {
        using var form = new Form().File("good.jpg", Pets.Cat).File("text.jpg", "no image"u8.ToArray()).File("half.jpg", Pets.Cat[..4_000])
            .File("bomb.png", Pictures.PngClaiming(50_000, 50_000)).File("large.jpg", new byte[(50 << 20) + 1]).File("last.jpg", Pets.Cat)
                .Content();

        var lines = await _client.AnswerBatchAsync(host.Model, form);

        Assert.Equal(["good.jpg", "last.jpg"], lines.Where(l => l["error"] is null).Select(l => (string?)l["fileName"]));
        Assert.Equal(["text.jpg", "half.jpg", "bomb.png", "large.jpg"],
            lines.Where(l => l["error"] is not null).Select(l => (string?)l["fileName"]));
        Assert.All(lines.Where(l => l["error"] is not null), line =>
        {
            Assert.EndsWith(".", (string?)line["error"]);
            Assert.Empty(line["labels"]!.AsArray());
            Assert.Null(line["unknown"]);
        });
    }

    [Fact]
    public async Task The_table_says_the_same_as_the_lines_and_no_name_becomes_a_formula()
    {
        using var form = Api.Form(null, ("=1+1.jpg", Pets.Cat), ("a, b.jpg", File.ReadAllBytes(Photographs[^1])),
            ("Katze-ä.jpg", "no image"u8.ToArray()));
        var batch = await _client.EndOfBatchAsync(host.Model, await _client.StartBatchAsync(host.Model, form));

        var (header, rows) = await _client.TableAsync(host.Model, batch);
        var lines = await _client.LinesAsync(host.Model, batch);

        Assert.Equal(["fileName", "imageId", "label", "probability", "unknown", "error", "cats", "dogs"], header);
        Assert.Equal(["=1+1.jpg", "a, b.jpg", "Katze-ä.jpg"], lines.Select(l => (string?)l["fileName"]));
        Assert.Equal(["'=1+1.jpg", "a, b.jpg", "Katze-ä.jpg"], rows.Select(r => r["fileName"]));
        foreach (var (row, line) in rows.Zip(lines))
        {
            var labels = line["labels"]!.AsArray();
            Assert.Equal(labels.Count == 0 ? "" : (string?)labels[0]!["label"], row["label"]);
            Assert.Equal((string?)line["error"] ?? "", row["error"]);
            Assert.Equal(line["unknown"]?.ToJsonString() ?? "", row["unknown"]);
            Assert.All(labels, l => Assert.Equal((double)l!["probability"]!,
                double.Parse(row[(string)l["label"]!], CultureInfo.InvariantCulture)));
        }

        await (await _client.GetAsync($"{Batches.PathOf(host.Model, batch)}/results?format=xml", Api.Cancel))
            .ProblemAsync(HttpStatusCode.BadRequest, "invalid-format");
    }

    [Fact]
    public async Task A_cancelled_batch_stops_and_keeps_what_it_has()
    {
        var first = await _client.StartBatchAsync(host.Model, Batches.Many(400));
        var second = await _client.StartBatchAsync(host.Model, Batches.Photographs(Photographs));
        foreach (var batch in new[] { second, first })
        {
            var cancelled = await (await _client.SendAsync(HttpMethod.Post, $"{Batches.PathOf(host.Model, batch)}/cancel"))
                .JsonAsync(HttpStatusCode.Accepted);
            Assert.Equal("cancelled", (string?)cancelled["state"]);
            Assert.True((int)cancelled["done"]! < (int)cancelled["images"]!, cancelled.ToJsonString());
            Assert.Equal((int)cancelled["done"]!, (await _client.LinesAsync(host.Model, batch)).Length);
        }

        var stood = await _client.GetJsonAsync(Batches.PathOf(host.Model, first));
        await _client.AnswerBatchAsync(host.Model, Batches.Photographs(Photographs)); // its worker is free again
        var stands = await _client.GetJsonAsync(Batches.PathOf(host.Model, first));
        Assert.Equal(stood.ToJsonString(), stands.ToJsonString());
        Assert.Equal((int)stands["done"]!, (await _client.LinesAsync(host.Model, first)).Length);
    }

    [Fact]
    public async Task The_same_idempotency_key_gives_the_same_batch()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
            _client.StartBatchAsync(host.Model, Batches.Photographs(Photographs[0]), "", "once")));
        Assert.Single(answers.Select(a => (string?)a["id"]).Distinct());
        var again = await _client.StartBatchAsync(host.Model, Batches.Photographs(Photographs[1]), "", "once");
        Assert.Equal((string?)answers[0]["id"], (string?)again["id"]);
        var other = await _client.StartBatchAsync(host.Model, Batches.Photographs(Photographs[0]), "", "twice");
        Assert.NotEqual((string?)answers[0]["id"], (string?)other["id"]);
        await (await _client.SendBatchAsync(host.Model, Batches.Photographs(Photographs[0]), "", new string('x', 201)))
            .ProblemAsync(HttpStatusCode.BadRequest, "invalid-idempotency-key");
    }

    [Fact]
    public async Task Another_account_sees_no_batch()
    {
        var batch = await _client.EndOfBatchAsync(host.Model,
            await _client.StartBatchAsync(host.Model, Batches.Photographs(Photographs[0])));
        var path = Batches.PathOf(host.Model, batch);
        using var other = await host.OtherAccountAsync();

        await (await other.SendBatchAsync(host.Model, Batches.Photographs(Photographs[0])))
            .ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        await (await other.GetAsync($"{host.Model}/batch-predictions", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        await (await other.GetAsync(path, Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "batch-not-found");
        await (await other.GetAsync($"{path}/results", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "batch-not-found");
        await (await other.SendAsync(HttpMethod.Post, $"{path}/cancel")).ProblemAsync(HttpStatusCode.NotFound, "batch-not-found");
        await (await other.SendAsync(HttpMethod.Delete, path)).ProblemAsync(HttpStatusCode.NotFound, "batch-not-found");
        Assert.Single(await _client.LinesAsync(host.Model, batch));
    }

    [Fact]
    public async Task Batches_are_listed_newest_first_and_deleted_with_their_results()
    {
        var first = await _client.EndOfBatchAsync(host.Model,
            await _client.StartBatchAsync(host.Model, Batches.Photographs(Photographs[0])));
        var second = await _client.EndOfBatchAsync(host.Model,
            await _client.StartBatchAsync(host.Model, Batches.Photographs(Photographs[1])));
        var page = await _client.GetJsonAsync($"{host.Model}/batch-predictions?limit=2");
        Assert.Equal([(string?)second["id"], (string?)first["id"]], page["items"]!.AsArray().Select(b => (string?)b!["id"]));

        Assert.Equal(HttpStatusCode.NoContent, (await _client.SendAsync(HttpMethod.Delete, Batches.PathOf(host.Model, first))).StatusCode);

        await (await _client.GetAsync(Batches.PathOf(host.Model, first), Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "batch-not-found");
        var gone = (Guid)first["id"]!;
        Assert.Equal(0, await host.QueryAsync(db => db.BatchItems.CountAsync(i => i.BatchId == gone, Api.Cancel)));
    }

    private Task<HttpResponseMessage> SendAsync(HttpContent content, string query = "") =>
        _client.SendBatchAsync(host.Model, content, query);

    /// <summary>A line must say what a prediction of the file says.</summary>
    private async Task AgreeAsync(string[] files, JsonNode[] lines, double tolerance = 1e-9)
    {
        var predictions = (await _client.PredictAsync(host.Model, files))["predictions"]!.AsArray();
        Assert.Equal(predictions.Count, lines.Length);
        foreach (var (prediction, line) in predictions.Zip(lines))
        {
            Assert.Equal(prediction!["labels"]!.AsArray().Select(l => (string?)l!["label"]),
                line["labels"]!.AsArray().Select(l => (string?)l!["label"]));
            Assert.All(prediction["labels"]!.AsArray().Concat(line["labels"]!.AsArray()), label =>
                Assert.False(label!.AsObject().ContainsKey("applies")));
            Assert.All(prediction["labels"]!.AsArray().Zip(line["labels"]!.AsArray()), pair =>
                Assert.Equal((double)pair.First!["probability"]!, (double)pair.Second!["probability"]!, tolerance));
            Assert.Equal((bool)prediction["unknown"]!, (bool)line["unknown"]!);
            Assert.Null(line["error"]);
        }
    }
}
