using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Training;

/// <summary>Models whose images may have several labels, or none.</summary>
public sealed class MultiLabelTests(TestHost host, HostWithRealBackbones real) : IClassFixture<TestHost>,
    IClassFixture<HostWithRealBackbones>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Scenes_with_several_labels_are_learned_judged_and_predicted()
    {
        var client = real.Client;
        var folder = SharedData.Folder("datasets/scenes_multilabel");
        var scenes = File.ReadLines(Path.Combine(folder, "labels.csv")).Skip(1).Select(line => line.Split(','))
            .Select(cells => (File: cells[0], Labels: cells[1].Split('|'))).ToList();
        var (kept, learned) = (scenes.Where((_, i) => i % 6 == 0).ToList(), scenes.Where((_, i) => i % 6 != 0).ToList());
        var model = await NewModelAsync(client);
        var form = new Form();
        foreach (var (file, labels) in learned)
        {
            form = labels.Aggregate(form, (sofar, label) => sofar.Field("category", label))
                .File(file, File.ReadAllBytes(Path.Combine(folder, "images", file)));
        }

        var upload = await (await client.PostAsync($"{model}/images", form.Content(), Api.Cancel)).JsonAsync();
        var run = await client.TrainAsync(model, Api.Automatic);

        Assert.Equal(learned.Count, upload["accepted"]!.AsArray().Count);
        Assert.True((string?)run["state"] == "succeeded", run.ToJsonString());
        var report = await client.GetJsonAsync($"{model}/versions/1/report");
        Assert.StartsWith("All labels correct for ", (string?)report["sentence"]);
        Assert.InRange((double)report["meanF1"]!, 0.7, 1);
        Assert.Equal(5, report["thresholds"]!.AsArray().Count(threshold => (double)threshold! is > 0 and < 1));
        Assert.Empty(report["confusion"]!.AsArray());
        Assert.InRange((double)report["calibration"]!["errorAfter"]!, 0, 0.06);
        Assert.All(report["classes"]!.AsArray(), c => Assert.InRange((double)c!["f1"]!, 0.5, 1));
        Assert.Equal(5, report["precisionRecall"]!.AsArray().Count(curve => (double)curve!["averagePrecision"]! is > 0.5 and <= 1));

        // On images that it has never met: the labels that apply, against the true ones.
        var predictions = (await client.PredictAsync(model,
            kept.Select(scene => Path.Combine(folder, "images", scene.File))))["predictions"]!.AsArray();
        var (hits, wrong) = (0, 0);
        foreach (var (prediction, scene) in predictions.Zip(kept))
        {
            var labels = prediction!["labels"]!.AsArray();
            Assert.Equal(5, labels.Count);
            Assert.Equal(labels.Select(l => (double)l!["probability"]!).OrderDescending(), labels.Select(l => (double)l!["probability"]!));
            string[] answer = [.. labels.Where(l => (bool)l!["applies"]!).Select(l => (string)l!["label"]!)];
            hits += answer.Intersect(scene.Labels).Count();
            wrong += answer.Except(scene.Labels).Count() + scene.Labels.Except(answer).Count();
        }

        Assert.True(2.0 * hits / (2 * hits + wrong) > 0.8, $"F1 {2.0 * hits / (2 * hits + wrong):0.000}");
        var page = await client.GetStringAsync(new Uri($"{model}/versions/1/report.html", UriKind.Relative), Api.Cancel);
        Assert.Contains("mean F1", page);
        Assert.DoesNotContain("Confusion matrix", page);
    }

    [Fact]
    public async Task A_label_that_accompanies_every_other_one_is_learned()
    {
        var model = await NewModelAsync("animal", "cat", "dog");
        var form = Pets.Cats.Take(12).Aggregate(new Form().Field("category", "animal").Field("category", "cat"), Add);
        form = Pets.Dogs.Take(12).Aggregate(form.Field("category", "animal").Field("category", "dog"), Add);
        var none = Enumerable.Range(1, 12).Aggregate(form.Field("category", ""), (sofar, i) => sofar.File($"{i}.jpg", Pictures.Jpeg(i)));
        await SendAsync(model, none);

        var run = await _client.TrainAsync(model);

        Assert.True((string?)run["state"] == "succeeded", run.ToJsonString());
        Assert.NotNull((await _client.GetJsonAsync($"{model}/versions/1/report"))["unknown"]);

        static Form Add(Form form, string file) => form.File(Path.GetFileName(file), File.ReadAllBytes(file));
    }

    [Fact]
    public async Task Categories_before_a_file_apply_together_and_an_empty_one_means_none()
    {
        var model = await NewModelAsync("sea", "sunset");

        var images = await SendAsync(model, new Form().Field("category", "sunset").Field("category", "sea")
            .File("both.jpg", Pictures.Jpeg(1)).File("too.jpg", Pictures.Jpeg(2))
            .Field("category", "sea").File("one.jpg", Pictures.Jpeg(3)).Field("category", "").File("none.jpg", Pictures.Jpeg(4)));

        Assert.Equal(["both.jpg: sea sunset", "too.jpg: sea sunset", "one.jpg: sea", "none.jpg: "], images.Select(Text));
        Assert.All(images, image => Assert.Null(image!["category"]));
        Assert.Equal([3, 2], (await _client.GetJsonAsync(model))["categories"]!.AsArray().Select(c => (int)c!["imageCount"]!));
        Assert.Equal(2, (await _client.GetJsonAsync($"{model}/images?category=sunset"))["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task An_image_sent_again_gains_labels_and_feedback_replaces_them()
    {
        var model = await NewModelAsync("sea", "sunset", "trees");
        await SendAsync(model, new Form().Field("category", "sea").File("a.jpg", Pictures.Jpeg(1)));

        Assert.Equal("a.jpg: sea sunset", Text((
            await SendAsync(model, new Form().Field("category", "sunset").File("b.jpg", Pictures.Jpeg(1)))).Single()));
        Assert.Equal("a.jpg: trees", Text((await SendAsync(model, new Form().Field("category", "trees").File("c.jpg", Pictures.Jpeg(1)),
            "feedback")).Single()));
        Assert.Single((await _client.GetJsonAsync($"{model}/images"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Labels_are_corrected_with_one_call()
    {
        var model = await NewModelAsync("sea", "sunset", "trees");
        var image = (await SendAsync(model, new Form().Field("category", "sea").File("a.jpg", Pictures.Jpeg(1)))).Single()!;
        var path = $"{model}/images/{image["id"]}";

        Assert.Equal("a.jpg: sunset trees", Text(
            await (await _client.SendAsync(HttpMethod.Patch, path, new { categories = (string[])["trees", "sunset", "trees"] }))
            .JsonAsync()));
        Assert.Equal("a.jpg: ", Text(await (await _client.SendAsync(HttpMethod.Patch, path, new { categories = Array.Empty<string>() }))
            .JsonAsync()));
        Assert.True((bool)(await _client.GetJsonAsync(path))["confirmed"]!);
        await (await _client.SendAsync(HttpMethod.Patch, path, new { categories = (string?[])["trees", null] }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unknown-category");
        Assert.Equal("a.jpg: ", Text(await _client.GetJsonAsync(path)));
    }

    [Fact]
    public async Task A_model_whose_categories_exclude_each_other_takes_one()
    {
        var model = await _client.NewModelAsync("sea", "sunset");
        var image = (await _client.AddAsync(model, "sea", Pictures.Jpeg(1))).Single()!;

        var refused = await (await _client.PostAsync($"{model}/images",
            new Form().Field("category", "sea").Field("category", "sunset").File("a.jpg", Pictures.Jpeg(2)).Content(), Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");
        Assert.Equal("several-categories", (string?)refused["rejected"]![0]!["reason"]);
        await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{image["id"]}", new { categories = (string[])["sea", "sunset"] }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "several-categories");
        Assert.Equal(["sunset"], (await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{image["id"]}",
            new { categories = (string[])["sunset"] })).JsonAsync())["categories"]!
            .AsArray().Select(c => (string?)c));
    }

    private static string Text(JsonNode? image) => $"{image!["fileName"]}: {string.Join(' ', image["categories"]!.AsArray())}";

    private Task<string> NewModelAsync(params string[] categories) => NewModelAsync(_client, categories);

    private static async Task<string> NewModelAsync(HttpClient client, params string[] categories)
    {
        var model = await (await client.PostAsync("/api/v1/models",
            new { name = "Scenes " + Guid.CreateVersion7(), kind = "multiLabelImageClassification", categories }))
            .JsonAsync(HttpStatusCode.Created);
        Assert.Equal("multiLabelImageClassification", (string?)model["kind"]);
        return $"/api/v1/models/{model["id"]}";
    }

    private async Task<JsonArray> SendAsync(string model, Form form, string to = "images")
    {
        using var content = form.Content();
        var answer = await (await _client.PostAsync($"{model}/{to}", content, Api.Cancel)).JsonAsync();
        Assert.Empty(answer["rejected"]!.AsArray());
        return answer["accepted"]!.AsArray();
    }
}
