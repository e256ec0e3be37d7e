using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using NetVips;

namespace Headstart.Tests.Reports;

/// <summary>What a report says of planted faults: wrong labels, copies, foreign images.</summary>
public sealed class ReportTests(HostWithRealBackbones host) : IClassFixture<HostWithRealBackbones>
{
    private static readonly object Good = new { backbone = "mobilenetv2-1.0" };
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Wrong_labels_and_copies_are_found_and_a_correction_or_a_confirmation_takes_them_from_the_next_report()
    {
        var model = await _client.NewModelAsync("ants", "bees");
        string[] Files(string category) => SharedData.Files($"datasets/hymenoptera/train/{category}");
        await _client.UploadAsync(model, "ants", Files("ants").Take(40));
        await _client.UploadAsync(model, "bees", Files("bees").Take(40));
        var wrong = await _client.UploadAsync(model, "ants", Files("bees").Skip(40).Take(4));
        using var photograph = Image.NewFromFile(Files("bees")[0]);
        using var smaller = photograph.Resize(0.6);
        using var form = Api.Form("bees", [("copy.jpg", smaller.JpegsaveBuffer(q: 70))]);
        var copy = (string)(await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["accepted"]![0]!["id"]!;

        await _client.TrainAsync(model, Good);
        var report = await _client.GetJsonAsync($"{model}/versions/1/report");

        var planted = wrong["accepted"]!.AsArray().Where(image => (string)image!["split"]! == "train")
            .Select(image => (string)image!["id"]!).ToHashSet();
        var suspects = report["suspects"]!.AsArray().Where(suspect => planted.Contains((string)suspect!["imageId"]!)).ToList();
        Assert.NotEmpty(suspects);
        Assert.All(suspects, suspect => Assert.Equal(("ants", "bees"), ((string)suspect!["category"]!, (string)suspect["suggested"]!)));
        var group = Assert.Single(report["duplicates"]!.AsArray())!.AsArray().Select(id => (string)id!).ToList();
        Assert.Equal((2, true), (group.Count, group.Contains(copy)));
        Assert.EndsWith(".", (string)report["sentence"]!);
        var confusion = report["confusion"]!.AsArray()
            .SelectMany((row, truth) => row!.AsArray().Select((count, answer) => (Off: truth != answer, Count: (int)count!)));
        Assert.Equal(confusion.Where(cell => cell.Off).Sum(cell => cell.Count), report["mistakes"]!.AsArray().Count);
        Assert.All(report["mistakes"]!.AsArray(), m => Assert.NotEqual((string)m!["category"]!, (string)m["predicted"]!));
        Assert.InRange((double)report["calibration"]!["errorAfter"]!, 0, 0.2);
        Assert.Equal(["ants", "bees"], report["precisionRecall"]!.AsArray().Select(curve => (string)curve!["category"]!).Order());
        Assert.All(report["precisionRecall"]!.AsArray(), curve =>
        {
            Assert.InRange((double)curve!["averagePrecision"]!, 0.8, 1);
            Assert.Equal(1, (double)curve["points"]!.AsArray()[^1]!["recall"]!);
        });
        Assert.Equal(5, report["learningCurve"]!["points"]!.AsArray().Count);
        Assert.Contains($"{(int)report["trainableParameters"]!} trained parameters", (string)report["head"]!["sentence"]!);

        var (corrected, confirmed) = ((string)suspects[0]!["imageId"]!, (string)report["suspects"]!.AsArray()
            .First(s => (string)s!["imageId"]! != (string)suspects[0]!["imageId"]!)!["imageId"]!);
        var image = await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{corrected}", new { category = "bees" })).JsonAsync();
        Assert.Equal(("bees", true), ((string)image["category"]!, (bool)image["confirmed"]!));
        image = await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{confirmed}", new { confirmed = true })).JsonAsync();
        Assert.True((bool)image["confirmed"]!);
        await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{confirmed}", new { }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-to-change");

        await _client.TrainAsync(model, Good);
        var next = await _client.GetJsonAsync($"{model}/versions/2/report");
        Assert.DoesNotContain(next["suspects"]!.AsArray(), s => (string)s!["imageId"]! == corrected || (string)s!["imageId"]! == confirmed);
        Assert.Equal(1, (int)next["comparison"]!["version"]!);
        Assert.EndsWith(".", (string)next["comparison"]!["sentence"]!);
    }

    [Fact]
    public async Task Foreign_images_are_unknown_and_feedback_becomes_a_labelled_image()
    {
        var model = await _client.PetsAsync();
        await _client.TrainAsync(model, Good);

        async Task<int> UnknownAsync(string[] files) =>
            (await _client.PredictAsync(model, files))["predictions"]!.AsArray().Count(prediction => (bool)prediction!["unknown"]!);

        foreach (var set in (string[])["steel_defects/test/crazing", "sign_digits/test/5", "clothing/test/pants"])
        {
            var files = SharedData.Files($"datasets/{set}");
            var unknown = await UnknownAsync(files);
            Assert.True(unknown >= 0.8 * files.Length, $"{unknown} of {files.Length} of {set} are unknown");
        }

        Assert.InRange(await UnknownAsync(Pets.Cats), 0, 6); // of 30 that it has learned from
        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.Equal(0.05, (double)report["unknown"]!["falseAlarmRate"]!);

        var count = (int)(await _client.GetJsonAsync(model))["categories"]![1]!["imageCount"]!;
        var cat = Pets.Cats[3]; // is in the model as a cat
        var ant = SharedData.Files("datasets/hymenoptera/test/ants")[0];
        using var form = Api.Form("dogs", [("a.jpg", File.ReadAllBytes(cat)), ("b.jpg", File.ReadAllBytes(ant)),
            ("again.jpg", File.ReadAllBytes(ant))]);
        var answer = await (await _client.PostAsync($"{model}/feedback", form, Api.Cancel)).JsonAsync();
        Assert.All(answer["accepted"]!.AsArray(), image =>
            Assert.Equal(("dogs", true), ((string)image!["category"]!, (bool)image["confirmed"]!)));
        Assert.Equal(count + 2, (int)(await _client.GetJsonAsync(model))["categories"]![1]!["imageCount"]!);
    }

    [Fact]
    public async Task A_version_that_is_worse_on_the_held_out_images_is_not_published_and_the_report_says_so()
    {
        var model = await _client.NewModelAsync("ants", "bees");
        await _client.UploadSetAsync(model, SharedData.Folder("datasets/hymenoptera/train"));
        await _client.TrainAsync(model, Good);

        // Somebody mixes up half of the training images.
        var images = new List<JsonNode>();
        for (var after = ""; ;)
        {
            var page = await _client.GetJsonAsync($"{model}/images?limit=100{after}");
            images.AddRange(page["items"]!.AsArray()!);
            if (page["next"] is null)
            {
                break;
            }

            after = $"&after={page["next"]}";
        }

        foreach (var image in images.Where(image => (string)image["split"]! == "train").Where((_, i) => i % 2 == 0))
        {
            await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{image["id"]}",
                new { category = (string)image["category"]! == "ants" ? "bees" : "ants" })).JsonAsync();
        }

        var run = await _client.TrainAsync(model, Good);

        Assert.Equal(("succeeded", 2), ((string)run["state"]!, (int)run["version"]!));
        Assert.Equal(1, (int)(await _client.GetJsonAsync(model))["publishedVersion"]!);
        var comparison = (await _client.GetJsonAsync($"{model}/versions/2/report"))["comparison"]!;
        Assert.False((bool)comparison["published"]!);
        Assert.True((double)comparison["difference"]! < -0.1, comparison.ToJsonString());
        Assert.StartsWith("Not published: ", (string)comparison["sentence"]!);
    }
}
