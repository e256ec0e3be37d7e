using System.Net;
using System.Text.Json.Nodes;
using Headstart.Access;
using Headstart.Tests.Predictions;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Access;

/// <summary>What keys were used for.</summary>
public sealed class UsageTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    [Fact]
    public async Task Requests_and_predictions_are_counted_for_the_key_that_made_them()
    {
        var (id, client) = await NewKeyAsync();
        using (client)
        {
            await client.PredictAsync(host.Model, Pets.Cats.Take(3));
            using var raw = await client.PostAsync($"{host.Model}/predictions", Api.Raw(Pets.Cat), Api.Cancel);
            using var broken = await client.PostAsync($"{host.Model}/predictions", Api.Raw([1, 2, 3]), Api.Cancel);
            await host.Services.GetRequiredService<Usage>().WriteAsync();
            using var again = await client.PostAsync($"{host.Model}/predictions", Api.Raw(Pets.Cat), Api.Cancel);
            await host.Services.GetRequiredService<Usage>().WriteAsync();

            var seen = (await client.GetJsonAsync("/api/v1/usage"))["keys"]!.AsArray();
            Assert.Equal(id, (string?)Assert.Single(seen)!["keyId"]); // no admin key: itself only
            Assert.Equal((4, 5), Counts(seen, id));
        }

        var all = (await host.Client.GetJsonAsync("/api/v1/usage?days=1"))["keys"]!.AsArray();
        Assert.Equal(5, Counts(all, id).Predictions);
        Assert.True(all.Count >= 2);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("367")]
    public async Task Days_are_limited(string days) =>
        await (await host.Client.GetAsync($"/api/v1/usage?days={days}", Api.Cancel))
            .ProblemAsync(HttpStatusCode.BadRequest, "invalid-days");

    [Fact]
    public async Task The_heat_map_of_a_stored_image_is_a_picture()
    {
        var image = (await host.Client.GetJsonAsync($"{host.Model}/images?limit=1"))["items"]![0]!;
        using var answer = await host.Client.GetAsync($"{host.Model}/images/{image["id"]}/heat-map", Api.Cancel);
        Assert.Equal("image/png", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("PNG", System.Text.Encoding.ASCII.GetString(await answer.Content.ReadAsByteArrayAsync(Api.Cancel), 1, 3));

        using var noVersion = await host.Client.GetAsync($"{host.Model}/images/{image["id"]}/heat-map?version=99", Api.Cancel);
        await noVersion.ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
        using var noImage = await host.Client.GetAsync($"{host.Model}/images/{Guid.Empty}/heat-map", Api.Cancel);
        await noImage.ProblemAsync(HttpStatusCode.NotFound, "image-not-found");
    }

    private static (int Requests, int Predictions) Counts(JsonArray keys, string id) =>
        keys.Single(k => (string?)k!["keyId"] == id)!["days"]!.AsArray() is var days
            ? (days.Sum(d => (int)d!["requests"]!), days.Sum(d => (int)d!["predictions"]!)) : default;

    private async Task<(string Id, HttpClient Client)> NewKeyAsync()
    {
        var key = await (await host.Client.PostAsync("/api/v1/keys", new { name = "counted" })).JsonAsync(HttpStatusCode.Created);
        return ((string)key["id"]!, host.ClientWith((string)key["key"]!));
    }
}
