using System.Text.Json.Nodes;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Uploads;
using static Headstart.Tests.Training.LookAlikes;

namespace Headstart.Tests.Training;

/// <summary>Few, similar and templated examples: they train, and what they cannot tell is said instead of a number.</summary>
[Collection<TrainingHost>]
public sealed class FewExamplesTests(TestHost host)
{
    private static readonly string[] Things =
        ["printer", "laptop", "screen", "router", "phone", "monitor", "tablet", "camera", "keyboard", "mouse", "desk", "chair"];

    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task One_scene_a_category_trains_and_its_accuracy_is_not_claimed()
    {
        var model = await ModelAsync(In("cats", Of(Pets.Cats[0], 12)), In("dogs", Of(Pets.Dogs[0], 12)));

        var (run, report) = await TrainedAsync(model);

        Assert.Equal("The accuracy is unknown. All images of each category show one scene, so nothing can be said about other scenes: "
            + "add images from elsewhere.", (string?)report["sentence"]);
        AssertUnclaimed(report);
        Assert.Equal(["cats", "dogs"], Names(report["unmeasured"]!));
        Assert.Null(run["backbones"]![0]!["accuracy"]);
        var version = (await _client.GetJsonAsync($"{model}/versions"))["items"]![0]!;
        Assert.Equal((null, null, true), ((double?)version["accuracy"], version["accuracyInterval"], (bool)version["published"]!));
        var published = (await _client.GetJsonAsync(model))["published"]!;
        Assert.Equal((1, null), ((int)published["number"]!, (double?)published["accuracy"]));
        Assert.Contains("The accuracy is unknown.", await PageAsync(model));

        // Another picture of the scene has its label, and another scene is not called unknown: nothing says how others look.
        var answer = (await _client.PredictAsync(model, Pets.Dogs[0], Pets.Dogs[9]))["predictions"]!.AsArray();
        Assert.Equal("dogs", (string?)answer[0]!["labels"]![0]!["label"]);
        Assert.All(answer, one => Assert.False((bool)one!["unknown"]!));

        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model))["state"]);
        Assert.Equal(2, (int?)(await _client.GetJsonAsync(model))["publishedVersion"]);
    }

    [Fact]
    public async Task A_category_of_one_scene_among_others_is_named_and_the_accuracy_is_that_of_the_others()
    {
        var model = await ModelAsync(In("train/cats", Pets.Cats[..8]), In("train/dogs", Pets.Dogs[..8]),
            In("train/noise", Of(Pets.Cats[20], 6)));

        var (_, report) = await TrainedAsync(model);

        Assert.Equal(["noise"], Names(report["unmeasured"]!));
        Assert.Contains("All images of 'noise' show one scene, so nothing can be said about other scenes: add images from elsewhere.",
            (string?)report["sentence"]);
        Assert.Equal((16, 16), ((int)report["crossValidation"]!["images"]!, report["confusion"]!.AsArray()
            .Sum(row => row!.AsArray().Sum(count => (int)count!))));
        Assert.NotNull(report["accuracy"]);
    }

    [Fact]
    public async Task Look_alikes_share_a_fold_and_count_once_in_the_interval()
    {
        var model = await ModelAsync([.. Enumerable.Range(0, 4).SelectMany(i => (IEnumerable<(string, byte[])>[])
            [In($"cats/{i}", Of(Pets.Cats[i], 3)), In($"dogs/{i}", Of(Pets.Dogs[2 + i], 3))])]);

        var (_, report) = await TrainedAsync(model);

        Assert.Equal((8, 4, 24), (report["duplicates"]!.AsArray().Count, (int)report["crossValidation"]!["folds"]!,
            (int)report["crossValidation"]!["images"]!));
        var (low, high) = ((double)report["accuracyInterval"]![0]!, (double)report["accuracyInterval"]![1]!);
        Assert.True(high - low > 0.3, report["accuracyInterval"]!.ToJsonString()); // eight different images, not 24
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Any_number_of_images_a_category_trains(int count)
    {
        var model = await _client.PetsAsync(count);

        var (_, report) = await TrainedAsync(model);

        Assert.Equal(count > 1, report["accuracy"] is not null);
        if (count == 1)
        {
            AssertUnclaimed(report);
            Assert.EndsWith("Each category has only one image, so nothing can be said about how others would fare: add images.",
                (string?)report["sentence"]);
            Assert.Contains("is the default if heads cannot be compared", (string?)report["head"]!["sentence"]);
        }

        var answer = (await _client.PredictAsync(model, Pets.Dogs[0]))["predictions"]![0]!["labels"]![0]!;
        Assert.Equal("dogs", (string?)answer["label"]); // it learned from this one
        Assert.InRange((double)answer["probability"]!, 0.5, count == 1 ? 0.9999 : 1); // nothing is certain after one look
    }

    [Fact]
    public async Task One_image_beside_many_is_learned_and_nothing_is_claimed()
    {
        var model = await ModelAsync(In("cats", Enumerable.Range(0, 60).Select(i => Pictures.Jpeg(i, 64, 48))), In("dogs", Pets.Dogs[..1]));

        var (_, report) = await TrainedAsync(model);

        AssertUnclaimed(report);
        Assert.EndsWith("'dogs' has only one image, so nothing can be said about how others would fare: add images.",
            (string?)report["sentence"]);
        Assert.Equal("dogs", (string?)(await _client.PredictAsync(model, Pets.Dogs[0]))["predictions"]![0]!["labels"]![0]!["label"]);
    }

    [Fact]
    public async Task The_same_scene_in_both_categories_ends_without_a_claim()
    {
        var model = await ModelAsync(In("cats", Of(Pets.Cats[0], 4)), In("dogs", Of(Pets.Cats[0], 4, largest: 108)));

        var (_, report) = await TrainedAsync(model);

        AssertUnclaimed(report);
        Assert.Equal(8, Assert.Single(report["duplicates"]!.AsArray())!.AsArray().Count);
    }

    [Fact]
    public async Task Texts_of_one_template_a_category_train_and_say_that_other_wordings_are_unknown()
    {
        var model = await _client.NewTextModelAsync("repair", "billing");
        await _client.AddTextsAsync(model,
        [
            .. Things.Select(thing => ("repair", $"Dear support team, I bought a {thing} in your shop last week and today it stopped "
                + "working, please repair it as soon as you can, best regards")),
            .. Things.Select(thing => ("billing", $"Good morning, could you please send me another copy of the invoice for the {thing} "
                + "that was delivered to our office in Berlin yesterday")),
        ]);

        var (_, report) = await TrainedAsync(model, Api.Automatic);

        AssertUnclaimed(report);
        Assert.Equal("The accuracy is unknown. All texts of each category are worded alike, so nothing can be said about other "
            + "wordings: add texts worded differently.", (string?)report["sentence"]);
        Assert.Equal("billing", (await _client.AskAsync(model, "please send the invoice"))["predictions"]![0]!.BestLabel());
    }

    [Fact]
    public async Task One_text_a_category_trains()
    {
        var model = await _client.NewTextModelAsync("repair", "billing");
        await _client.AddTextsAsync(model, [("repair", "My printer is broken"), ("billing", "Please send the invoice again")]);

        var (_, report) = await TrainedAsync(model, Api.Automatic);

        AssertUnclaimed(report);
        Assert.Equal("repair", (await _client.AskAsync(model, "the printer is broken"))["predictions"]![0]!.BestLabel());
    }

    [Fact]
    public async Task Labels_of_one_scene_and_of_one_image_train_in_a_multi_label_model()
    {
        var made = await (await _client.PostAsync("/api/v1/models", new { name = "Few tags", kind = "multiLabelImageClassification" }))
            .JsonAsync(System.Net.HttpStatusCode.Created);
        var model = $"/api/v1/models/{made["id"]}";
        object[] images =
        [
            .. Of(Pets.Cats[0], 6).Select(bytes => Tagged(bytes, "cat", "indoor")),
            .. Pets.Dogs[..6].Select((file, i) => Tagged(File.ReadAllBytes(file), i % 2 == 0 ? ["dog"] : ["dog", "indoor"])),
            Tagged(File.ReadAllBytes(Pets.Cats[5]), "striped"),
        ];
        await (await _client.PostAsync($"{model}/images", new { images })).JsonAsync();

        var (_, report) = await TrainedAsync(model);

        Assert.Equal(["cat", "striped"], Names(report["unmeasured"]!));
        Assert.Equal(6, (int)report["crossValidation"]!["images"]!);
        Assert.NotNull(report["meanF1"]);
        Assert.Equal(4, (await _client.PredictAsync(model, Pets.Dogs[0]))["predictions"]![0]!["labels"]!.AsArray().Count);

        static object Tagged(byte[] bytes, params string[] categories) => new { base64 = Convert.ToBase64String(bytes), categories };
    }

    private static void AssertUnclaimed(JsonNode report)
    {
        Assert.Null(report["accuracy"]);
        Assert.Null(report["accuracyInterval"]);
        Assert.Null(report["accuracyFrom"]);
        Assert.Null(report["crossValidation"]!["accuracy"]);
        Assert.Null(report["calibration"]);
        Assert.Null(report["learningCurve"]);
        Assert.Null(report["advice"]);
        Assert.Empty(report["confusion"]!.AsArray());
        Assert.StartsWith("The accuracy is unknown.", (string?)report["sentence"]);
    }

    private static IEnumerable<string?> Names(JsonNode names) => names.AsArray().Select(name => (string?)name);

    private async Task<string> ModelAsync(params IEnumerable<(string, byte[])>[] files)
    {
        var model = await _client.NewModelAsync();
        var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(files.SelectMany(file => file))))).JsonAsync();
        Assert.Empty(answer["rejected"]!.AsArray());
        return model;
    }

    private async Task<(JsonNode Run, JsonNode Report)> TrainedAsync(string model, object? request = null)
    {
        var run = await _client.TrainAsync(model, request);
        Assert.True((string?)run["state"] == "succeeded", run.ToJsonString());
        await PageAsync(model);
        return (run, await _client.GetJsonAsync($"{model}/versions/{run["version"]}/report"));
    }

    private Task<string> PageAsync(string model) =>
        _client.GetStringAsync(new Uri($"{model}/versions/1/report.html", UriKind.Relative), Api.Cancel);
}
