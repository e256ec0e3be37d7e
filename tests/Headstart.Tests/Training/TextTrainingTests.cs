using Headstart.Tests.Uploads;

namespace Headstart.Tests.Training;

/// <summary>What a report says of planted faults in texts, and how training again is compared.</summary>
[Collection<TrainingHost>]
public sealed class TextTrainingTests(TestHost host)
{
    private const string Angry = "this dreadful , tedious mess wastes every minute of a talented cast and insults its audience";

    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Wrong_labels_and_copies_are_found_and_training_again_is_compared_with_the_published_version()
    {
        var rows = TextFiles.Rows("sst2/train.tsv");
        var model = await _client.NewTextModelAsync("pos", "neg");
        await _client.AddTextsAsync(model, [.. rows.Take(300), .. rows.Skip(300).Take(200).Select(row => ("", row.Text))]);
        var planted = (await _client.AddTextsAsync(model, [("pos", Angry)]))["accepted"]![0]!;
        var copy = (string)(await _client.AddTextsAsync(model,
            [(rows[0].Label, rows[0].Text.ToUpperInvariant() + " !")]))["accepted"]![0]!["id"]!;
        var run = await _client.TrainAsync(model, Api.Automatic);
        Assert.Equal(("succeeded", 1), ((string)run["state"]!, (int)run["version"]!));
        var trials = run["backbones"]!.AsArray();
        Assert.Superset(new HashSet<string> { "tfidf", "skipgram", "skipgram-sif", "skipgram+tfidf" },
            trials.Select(trial => (string)trial!["id"]!).ToHashSet());
        Assert.Single(trials, trial => (bool)trial!["chosen"]!);

        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        var group = Assert.Single(report["duplicates"]!.AsArray())!.AsArray().Select(id => (string)id!).ToList();
        Assert.Equal((2, true), (group.Count, group.Contains(copy)));
        Assert.NotEmpty(report["suspects"]!.AsArray());
        Assert.Equal(5, report["learningCurve"]!["points"]!.AsArray().Count);
        Assert.InRange((double)report["accuracy"]!, 0.6, 1);
        Assert.Contains("texts not used for training", (string)report["sentence"]!);
        Assert.Contains("200 of them without a category", (string)report["choice"]!["sentence"]!);
        Assert.Equal("textClassification", (string)report["kind"]!);

        var moved = await (await _client.PostAsync($"{model}/feedback", new { text = Angry, category = "neg" })).JsonAsync();
        Assert.Equal(((string)planted["id"]!, "neg"), ((string)moved["accepted"]![0]!["id"]!, (string)moved["accepted"]![0]!["category"]!));
        await _client.AddTextsAsync(model, rows.Skip(300).Take(50)); // these were there without a category
        Assert.Equal(150, (int)(await _client.GetJsonAsync(model))["unlabelledCount"]!);
        run = await _client.TrainAsync(model, new { backbone = "tfidf" });
        Assert.Equal((1, "tfidf"), (run["backbones"]!.AsArray().Count, (string)run["backbones"]![0]!["id"]!));

        var next = await _client.GetJsonAsync($"{model}/versions/2/report");
        Assert.Equal(1, (int)next["comparison"]!["version"]!);
        Assert.InRange((int)next["comparison"]!["images"]!, 20, 200);
        Assert.Contains("held-out texts", (string)next["comparison"]!["sentence"]!);
        foreach (var version in (int[])[1, 2])
        {
            var answer = await (await _client.PostAsync($"{model}/predictions?version={version}", new { texts = new[] { Angry } }))
                .JsonAsync();
            Assert.Equal((version, 1), ((int)answer["version"]!, answer["predictions"]!.AsArray().Count));
        }

        var foreign = (await _client.AskAsync(model, Angry, "这是一个测试"))["predictions"]!.AsArray();
        Assert.Equal([false, true], foreign.Select(p => (bool)p!["unknown"]!)); // TF-IDF knows nothing of the second

        var back = await (await _client.PostAsync($"{model}/versions/1/publish", new { })).JsonAsync();
        Assert.True((bool)back["published"]!);
    }
}
