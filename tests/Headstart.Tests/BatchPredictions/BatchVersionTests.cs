using System.Net;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.BatchPredictions;

/// <summary>Which version answers a batch, and what of a model's kind shows in the table.</summary>
[Collection<TrainingHost>]
public sealed class BatchVersionTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task A_version_that_is_published_meanwhile_does_not_mix_into_a_batch()
    {
        Needs.Time();
        var model = await _client.PetsAsync(8);
        await _client.TrainAsync(model);
        await _client.UploadSetAsync(model, Pets.Folder, 12);
        await _client.TrainAsync(model);
        await PublishAsync(model, 1);
        var file = Pets.Dogs[^1];

        var batch = await _client.StartBatchAsync(model,
            Api.Form(null, Enumerable.Range(0, 200).Select(i => ($"{i}.jpg", File.ReadAllBytes(file)))));
        await PublishAsync(model, 2);
        var ended = await _client.EndOfBatchAsync(model, batch);

        Assert.Equal(("succeeded", 1), ((string?)ended["state"], (int)ended["version"]!));
        var first = await ProbabilityAsync(1);
        Assert.NotEqual(first, await ProbabilityAsync(2));
        Assert.All(await _client.LinesAsync(model, ended), line => Assert.Equal(first, (double)line["labels"]![0]!["probability"]!));
        var named = await _client.AnswerBatchAsync(model, Batches.Photographs(file), "?version=1");
        Assert.Equal(first, (double)named[0]["labels"]![0]!["probability"]!);

        async Task<double> ProbabilityAsync(int version)
        {
            using var photograph = Api.Raw(await File.ReadAllBytesAsync(file, Api.Cancel));
            var answer = await (await _client.PostAsync($"{model}/predictions?version={version}", photograph, Api.Cancel)).JsonAsync();
            return (double)answer["predictions"]![0]!["labels"]![0]!["probability"]!;
        }
    }

    [Fact]
    public async Task A_table_of_a_multi_label_model_joins_the_labels_that_apply()
    {
        var folder = SharedData.Folder("datasets/scenes_multilabel");
        var scenes = File.ReadLines(Path.Combine(folder, "labels.csv")).Skip(1).Select(line => line.Split(',')).Take(120);
        var created = await (await _client.PostAsync("/api/v1/models", new { name = "Scenes", kind = "multiLabelImageClassification" }))
            .JsonAsync(HttpStatusCode.Created);
        var model = $"/api/v1/models/{created["id"]}";
        var form = scenes.Aggregate(new Form(), (sofar, cells) =>
            cells[1].Split('|').Aggregate(sofar, (form, label) => form.Field("category", label))
            .File(cells[0], File.ReadAllBytes(Path.Combine(folder, "images", cells[0]))));
        await (await _client.PostAsync($"{model}/images", form.Content(), Api.Cancel)).JsonAsync();
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model))["state"]);

        var batch = await _client.EndOfBatchAsync(model, await _client.StartBatchAsync(model, Batches.Stored(new { images = new { } })));

        var (lines, (_, rows)) = (await _client.LinesAsync(model, batch), await _client.TableAsync(model, batch));
        Assert.Equal(120, rows.Length);
        var applying = lines.Select(l => l["labels"]!.AsArray().Where(label => (bool)label!["applies"]!)
            .Select(label => (string?)label!["label"]));
        Assert.Equal(applying.Select(labels => string.Join('|', labels)), rows.Select(r => r["label"]));
        Assert.Contains(rows, r => r["label"].Contains('|', StringComparison.Ordinal));
        Assert.Equal(lines.Select(l => (string?)l["imageId"]), rows.Select(r => r["imageId"]));
    }

    private async Task PublishAsync(string model, int version) =>
        await (await _client.SendAsync(HttpMethod.Post, $"{model}/versions/{version}/publish")).JsonAsync();
}
