using System.Net;
using Headstart.Data;
using Headstart.Tests.Backbones;
using Headstart.Tests.Uploads;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Access;

/// <summary>What belongs to one account does not exist for another.</summary>
[Collection<AccessHost>]
public sealed class AccountsTests(TestHost host)
{
    [Fact]
    public async Task Everything_of_another_account_is_404_and_stays_untouched()
    {
        var model = await host.Client.NewModelAsync("cats", "dogs");
        var image = (await host.Client.AddAsync(model, "cats", Pictures.Jpeg(1))).Single()!["id"];
        var run = await VersionAsync(Guid.Parse(model[^36..]));
        using var other = await host.OtherAccountAsync();
        (HttpMethod, string, object?)[] requests =
        [
            (HttpMethod.Get, model, null),
            (HttpMethod.Patch, model, new { name = "stolen" }),
            (HttpMethod.Delete, model, null),
            (HttpMethod.Get, $"{model}/images", null),
            (HttpMethod.Get, $"{model}/images/{image}", null),
            (HttpMethod.Get, $"{model}/images/{image}/content", null),
            (HttpMethod.Patch, $"{model}/images/{image}", new { category = "dogs" }),
            (HttpMethod.Delete, $"{model}/images/{image}", null),
            (HttpMethod.Post, $"{model}/training-runs", new { }),
            (HttpMethod.Get, $"{model}/training-runs", null),
            (HttpMethod.Get, $"{model}/training-runs/{run}", null),
            (HttpMethod.Get, $"{model}/training-runs/{run}/events", null),
            (HttpMethod.Post, $"{model}/training-runs/{run}/cancel", null),
            (HttpMethod.Get, $"{model}/versions", null),
            (HttpMethod.Get, $"{model}/versions/1", null),
            (HttpMethod.Get, $"{model}/versions/1/report", null),
            (HttpMethod.Post, $"{model}/versions/1/publish", null),
        ];
        foreach (var (method, path, body) in requests)
        {
            await IsNotFoundAsync(await other.SendAsync(method, path, body), $"{method} {path}");
        }

        using var upload = Api.Form("cats", ("a.jpg", Pictures.Jpeg(2)));
        await IsNotFoundAsync(await other.PostAsync($"{model}/images", upload, Api.Cancel), "upload");
        await IsNotFoundAsync(await other.PostAsync($"{model}/predictions", Api.Raw(Pictures.Jpeg(2)), Api.Cancel), "predict");
        Assert.Empty((await other.GetJsonAsync("/api/v1/models"))["items"]!.AsArray());
        var mine = await host.Client.GetJsonAsync(model);
        Assert.Equal((1, "cats"), ((int)mine["categories"]![0]!["imageCount"]!,
            (string?)(await host.Client.GetJsonAsync($"{model}/images/{image}"))["category"]));
    }

    [Fact]
    public async Task An_image_is_found_under_its_own_model_only()
    {
        var (first, second) = (await host.Client.NewModelAsync("cats"), await host.Client.NewModelAsync("cats"));
        var image = (await host.Client.AddAsync(first, "cats", Pictures.Jpeg(1))).Single()!["id"];
        foreach (var (method, body) in new (HttpMethod, object?)[] { (HttpMethod.Get, null), (HttpMethod.Patch, new { category = "cats" }),
            (HttpMethod.Delete, null) })
        {
            await (await host.Client.SendAsync(method, $"{second}/images/{image}", body))
                .ProblemAsync(HttpStatusCode.NotFound, "image-not-found");
        }

        await host.Client.GetJsonAsync($"{first}/images/{image}");
    }

    [Fact]
    public async Task Two_accounts_may_use_the_same_name()
    {
        using var other = await host.OtherAccountAsync();
        foreach (var client in new[] { host.Client, other })
        {
            await (await client.PostAsync("/api/v1/models", new { name = "Shared name" })).JsonAsync(HttpStatusCode.Created);
        }
    }

    private static async Task IsNotFoundAsync(HttpResponseMessage response, string what)
    {
        Assert.True(response.StatusCode == HttpStatusCode.NotFound, $"{what}: {response.StatusCode}");
        Assert.EndsWith("-not-found", (string?)(await response.JsonAsync(HttpStatusCode.NotFound))["type"]);
    }

    /// <summary>A finished run and its version, as rows: nothing is trained here.</summary>
    private Task<Guid> VersionAsync(Guid model) => host.QueryAsync(async db =>
    {
        var now = host.Services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime;
        var run = new TrainingRun { Id = Guid.CreateVersion7(), ModelId = model, State = JobState.Succeeded, CreatedAt = now };
        db.Add(run);
        db.Add(new ModelVersion
        {
            ModelId = model,
            Number = 1,
            RunId = run.Id,
            Backbone = "none",
            KnownBackbones = [],
            TrainableParameters = 1,
            Accuracy = 1,
            AccuracyLow = 0,
            AccuracyHigh = 1,
            Artifact = new byte[32],
            Report = new byte[32],
            CreatedAt = now,
        });
        await db.SaveChangesAsync(Api.Cancel);
        return run.Id;
    });
}
