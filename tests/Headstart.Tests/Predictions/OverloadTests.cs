using System.Net;
using Headstart.Concurrency;
using Headstart.Configuration;
using Headstart.Tests.Concurrency;
using Headstart.Tests.NanoNets;
using Headstart.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Predictions;

public sealed class OverloadTests(OverloadTests.SmallHost host) : IClassFixture<OverloadTests.SmallHost>
{
    [Fact]
    public async Task More_images_than_may_wait_are_refused_at_once_and_told_when_to_come_back()
    {
        var photo = Pets.Cat;
        var answers = await Task.WhenAll(Enumerable.Range(0, 60)
            .Select(_ => host.Client.PostAsync($"{host.Model}/predictions", Api.Raw(photo), Api.Cancel)));

        Assert.Contains(answers, a => a.StatusCode == HttpStatusCode.OK);
        var refused = answers.Where(a => a.StatusCode != HttpStatusCode.OK).ToList();
        Assert.NotEmpty(refused);
        foreach (var answer in refused)
        {
            await answer.ProblemAsync(HttpStatusCode.ServiceUnavailable, "overloaded");
            Assert.NotNull(answer.Headers.RetryAfter);
        }

        Assert.Equal(HttpStatusCode.OK, (await host.Client.PostAsync($"{host.Model}/predictions", Api.Raw(photo), Api.Cancel)).StatusCode);
    }

    /// <summary>Its clients ask again on 503, and parse the answer.</summary>
    [Fact]
    public async Task NanoNets_wrapper_retries_because_it_is_told_503_in_the_shape_that_it_knows()
    {
        var client = new PythonRequests(host.Address, TestHost.Key);
        var request = client.Files($"/api/v2/ImageCategorization/LabelFile/?modelId={host.Model[^36..]}",
            new FormPart("file", "cat.jpg", "image/jpeg", Pets.Cat));
        var cores = host.Services.GetRequiredService<Cores>();
        Task<WireAnswer> first;
        await using (await HeldCores.HoldAsync(cores))
        {
            first = Wire.SendAsync(host.Address, request);
            await cores.UntilWaitingAsync(1);
            var refused = await Wire.SendAsync(host.Address, request);
            Assert.Equal(("Service Unavailable", 503), ((string?)refused.Json(503)["message"], (int)refused.Json(503)["code"]!));
            Assert.Equal("1", refused.Headers["Retry-After"]);
        }

        Assert.Equal("cats", (await first).Json().Labels()[0]);
    }

    public sealed class SmallHost(TestPostgres postgres) : TrainedHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Predictions:MaxWaiting", "1"), ("Headstart:Predictions:FeatureCacheBytes", "0")];
    }
}
