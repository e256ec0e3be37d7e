using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Uploads;
using static Headstart.Tests.Training.LookAlikes;

namespace Headstart.Tests.Training;

/// <summary>What was given as test is never learned from, and every answer says which side an example is on.</summary>
[Collection<TrainingHost>]
public sealed class SidesTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Given_test_images_measure_the_accuracy_however_few_are_left_to_learn_from()
    {
        var model = await ModelAsync(In("train/cats", Pets.Cats[..4]), In("train/dogs", Pets.Dogs[..4]), In("test/cats", Pets.Cats[4..14]),
            In("test/dogs", Pets.Dogs[4..14]));

        var report = await TrainedAsync(model);

        Assert.Equal(("heldOut", 20, 8), ((string?)report["accuracyFrom"], (int)report["heldOut"]!["images"]!,
            (int)report["crossValidation"]!["images"]!));
        Assert.Equal((4, 4), ((int)report["balance"]!["smallestImages"]!, (int)report["balance"]!["largestImages"]!));
        Assert.Equal((8, 20), await SidesAsync(model)); // as they were given
        var tested = (await _client.GetJsonAsync($"{model}/images?split=test&limit=100"))["items"]!.AsArray();
        Assert.Equal((20, true), (tested.Count, tested.All(image => (bool)image!["splitGiven"]!)));
        await (await _client.GetAsync($"{model}/images?split=both", Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-split");
    }

    [Fact]
    public async Task A_category_that_is_only_tested_is_left_out_and_alone_with_another_refuses_the_run()
    {
        var model = await ModelAsync(In("train/cats", Pets.Cats[..3]), In("test/dogs", Pets.Dogs[..3]));
        var problem = await (await _client.PostAsync($"{model}/training-runs", Api.BuiltIn))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-few-images");
        Assert.Contains("One has only images given as test, which are never learned from: move some to train.", (string?)problem["detail"]);
        Assert.Equal("collecting", (string?)(await _client.GetJsonAsync(model))["state"]);

        await SendAsync(model, In("train/birds", Enumerable.Range(0, 3).Select(i => Pictures.Jpeg(i, 64, 64))));
        var run = await _client.TrainAsync(model);

        const string notice = "Left out, because there is nothing to learn it from: 'dogs' (all images are given as test; move some to "
            + "train, or add some).";
        Assert.Equal(notice, (string?)Assert.Single(run["notices"]!.AsArray()));
        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.Equal(["dogs"], report["leftOut"]!.AsArray().Select(c => (string?)c));
        Assert.Equal(["birds", "cats"], report["categories"]!.AsArray().Select(c => (string?)c));
        Assert.Null(report["heldOut"]);
    }

    [Fact]
    public async Task Copies_of_test_images_are_left_out_of_training_and_named()
    {
        var model = await ModelAsync(In("train/cats", Pets.Cats[..6]), In("train/dogs", Pets.Dogs[..6]),
            In("test/cats", Of(Pets.Cats[0], 1).Concat(Pets.Cats[6..8].Select(File.ReadAllBytes))), In("test/dogs", Pets.Dogs[6..9]));

        var run = await _client.TrainAsync(model);

        Assert.StartsWith("1 of the images to learn from looks like images given as test and did not take part in training",
            (string?)Assert.Single(run["notices"]!.AsArray()));
        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        var leak = (string)Assert.Single(report["leaks"]!.AsArray())!;
        Assert.Equal("train", (string?)(await _client.GetJsonAsync($"{model}/images/{leak}"))["split"]);
        Assert.Equal((5, 6, 6), ((int)report["balance"]!["smallestImages"]!, (int)report["balance"]!["largestImages"]!,
            (int)report["heldOut"]!["images"]!));
        Assert.Contains("left out, because they look like images given as test",
            await _client.GetStringAsync(new Uri($"{model}/versions/1/report.html", UriKind.Relative), Api.Cancel));
    }

    [Fact]
    public async Task Test_images_of_the_only_scene_to_learn_from_count_for_nothing()
    {
        var model = await ModelAsync(In("train/cats", Of(Pets.Cats[0], 6)), In("test/cats", Of(Pets.Cats[0], 6, largest: 102)),
            In("train/dogs", Of(Pets.Dogs[0], 6)), In("test/dogs", Of(Pets.Dogs[0], 6, largest: 102)));

        var run = await _client.TrainAsync(model);

        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.StartsWith("12 of the images given as test look like all images that a category can be learned from.",
            (string?)Assert.Single(run["notices"]!.AsArray()));
        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.Null(report["accuracy"]);
        Assert.Null(report["heldOut"]);
        Assert.Equal(6, (int)report["balance"]!["largestImages"]!); // and none of the test images
    }

    [Fact]
    public async Task What_a_run_had_to_learn_from_is_a_training_image_from_then_on()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var pictures = Enumerable.Range(0, 40).Select(i => Pictures.Jpeg(i, 64, 48)).ToList();
        var all = await _client.AddAsync(model, "cats", [.. pictures]);
        var test = pictures.Where((_, i) => (string?)all[i]!["split"] == "test").Take(3).ToList();
        model = await _client.NewModelAsync("cats", "dogs");
        await _client.AddAsync(model, "cats", [.. test, pictures[^1]]);
        await _client.AddAsync(model, "dogs", [.. Pets.Dogs[..3].Select(File.ReadAllBytes)]);
        Assert.True((await SidesAsync(model)).Test >= 3);

        await TrainedAsync(model); // too few to hold any out

        Assert.Equal((7, 0), await SidesAsync(model));
    }

    [Fact]
    public async Task A_person_moves_images_and_the_next_run_obeys()
    {
        var model = await _client.PetsAsync(8);
        var first = await TrainedAsync(model);
        var images = (await _client.GetJsonAsync($"{model}/images?limit=100"))["items"]!.AsArray();
        foreach (var image in images.Where((_, i) => i % 8 > 2))
        {
            var moved = await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{image!["id"]}", new { split = "test" }))
                .JsonAsync();
            Assert.Equal(("test", true, false), ((string?)moved["split"], (bool)moved["splitGiven"]!, (bool)moved["confirmed"]!));
        }

        var second = await TrainedAsync(model);

        Assert.Equal(10, (int)second["heldOut"]!["images"]!);
        Assert.Equal(3, (int)second["balance"]!["largestImages"]!);
        // The first version learned from most of them, so that they say nothing about it.
        Assert.InRange((int)second["comparison"]!["images"]!, 0, (int?)first["heldOut"]?["images"] ?? 0);
        await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{images[0]!["id"]}", new { split = "neither" }))
            .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }

    [Fact]
    public async Task Given_test_texts_are_not_learned_from_not_even_without_a_category()
    {
        var model = await _client.NewTextModelAsync();
        var rows = TextFiles.Opinions(30).ToList();
        var texts = rows.Select((row, i) => new { text = row.Text, category = row.Label, split = i < 20 ? "train" : "test" })
            .ToList<object>();
        texts.AddRange([new { text = "An unlabelled note about a bridge", split = "test" }, new { text = "Another about a river" },
            new { text = "This one is odd", category = "odd", split = "test" }]);
        await (await _client.PostAsync($"{model}/texts", new { texts })).JsonAsync();

        var run = await _client.TrainAsync(model, Api.Automatic);

        Assert.True((string?)run["state"] == "succeeded", run.ToJsonString());
        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.Contains("21 texts, 1 of them without a category", (string?)report["choice"]!["sentence"]);
        Assert.Equal(10, (int)report["heldOut"]!["images"]!);
        Assert.Equal(["odd"], report["leftOut"]!.AsArray().Select(c => (string?)c));
        var text = (await _client.GetJsonAsync($"{model}/texts?split=train"))["items"]![0]!;
        var moved = await (await _client.SendAsync(HttpMethod.Patch, $"{model}/texts/{text["id"]}", new { split = "test" })).JsonAsync();
        Assert.Equal(("test", true, false), ((string?)moved["split"], (bool)moved["splitGiven"]!, (bool)moved["confirmed"]!));
    }

    [Fact]
    public async Task A_label_that_is_only_tested_is_left_out_of_a_multi_label_model()
    {
        var made = await (await _client.PostAsync("/api/v1/models", new { name = "Tags of sides", kind = "multiLabelImageClassification" }))
            .JsonAsync(HttpStatusCode.Created);
        var model = $"/api/v1/models/{made["id"]}";
        var images = Enumerable.Range(0, 6).SelectMany(i => (object[])
        [
            new { base64 = Base64(Pets.Cats[i]), categories = new[] { "cat" }, split = "train" },
            new { base64 = Base64(Pets.Dogs[i]), categories = new[] { "dog" }, split = "train" },
            new { base64 = Base64(Pets.Dogs[10 + i]), categories = new[] { "dog", "brown" }, split = "test" },
        ]);
        await (await _client.PostAsync($"{model}/images", new { images })).JsonAsync();

        var report = await TrainedAsync(model);

        Assert.Equal(["brown"], report["leftOut"]!.AsArray().Select(c => (string?)c));
        Assert.Equal((6, 12), ((int)report["heldOut"]!["images"]!, (int)report["crossValidation"]!["images"]!));

        static string Base64(string file) => Convert.ToBase64String(File.ReadAllBytes(file));
    }

    private async Task<string> ModelAsync(params IEnumerable<(string, byte[])>[] files)
    {
        var model = await _client.NewModelAsync();
        await SendAsync(model, files.SelectMany(file => file));
        return model;
    }

    private async Task SendAsync(string model, IEnumerable<(string, byte[])> files)
    {
        var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(files)))).JsonAsync();
        Assert.Empty(answer["rejected"]!.AsArray());
    }

    private async Task<JsonNode> TrainedAsync(string model)
    {
        var run = await _client.TrainAsync(model);
        Assert.True((string?)run["state"] == "succeeded", run.ToJsonString());
        return await _client.GetJsonAsync($"{model}/versions/{run["version"]}/report");
    }

    private async Task<(int Train, int Test)> SidesAsync(string model)
    {
        var images = (await _client.GetJsonAsync($"{model}/images?limit=200"))["items"]!.AsArray();
        return (images.Count(i => (string?)i!["split"] == "train"), images.Count(i => (string?)i!["split"] == "test"));
    }
}
