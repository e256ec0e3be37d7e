using System.Net;
using System.Text.Json.Nodes;

namespace Headstart.Tests.Predictions;

public sealed class PublishingTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    [Fact]
    public async Task While_versions_are_published_back_and_forth_every_answer_is_of_one_of_them_and_whole()
    {
        var model = await host.Client.NewModelAsync();
        await host.Client.UploadAsync(model, "cats", Pets.Cats.Take(6));
        await host.Client.UploadAsync(model, "dogs", Pets.Dogs.Take(6));
        await host.Client.TrainAsync(model);
        await host.Client.UploadAsync(model, "bees", Pets.Cats[^6..]);
        Assert.Equal(2, (int?)(await host.Client.TrainAsync(model))["version"]);
        string[][] labels = [["cats", "dogs"], ["bees", "cats", "dogs"]];
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Api.Cancel);

        var seen = Task.WhenAll(Enumerable.Range(0, 4).Select(HammerAsync));
        for (var i = 0; i < 40; i++)
        {
            var number = 1 + i % 2;
            await (await host.Client.SendAsync(HttpMethod.Post, $"{model}/versions/{number}/publish")).JsonAsync();
            Assert.Equal(number, (int)(await PredictAsync(200))["version"]!); // at once
        }

        await done.CancelAsync();
        Assert.Equal([1, 2], (await seen).SelectMany(versions => versions).Distinct().Order());

        async Task<List<int>> HammerAsync(int client)
        {
            var versions = new List<int>();
            for (var i = 0; !done.IsCancellationRequested; i++)
            {
                var answer = await PredictAsync(8 * i + client); // known images and new ones
                var version = (int)answer["version"]!;
                Assert.Equal(labels[version - 1], answer["predictions"]![0]!["labels"]!.AsArray().Select(l => (string)l!["label"]!)
                    .Order());
                versions.Add(version);
            }

            return versions;
        }

        async Task<JsonNode> PredictAsync(int number) =>
            await (await host.Client.PostAsync($"{model}/predictions", Api.Raw([.. Pets.Cat, (byte)number]), Api.Cancel))
                .JsonAsync(HttpStatusCode.OK);
    }
}
