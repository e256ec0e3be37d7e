using System.Net;
using Headstart.Tests.Data;

namespace Headstart.Tests.Predictions;

public sealed class OverloadTests(OverloadTests.SmallHost host) : IClassFixture<OverloadTests.SmallHost>
{
    [Fact]
    public async Task More_images_than_may_wait_are_refused_at_once_and_told_when_to_come_back()
    {
        var photo = SharedData.Cat;
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => host.Client.PostAsync($"{host.Model}/predictions", Api.Raw(photo), Api.Cancel)));

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

    public sealed class SmallHost(TestPostgres postgres) : TrainedHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings => [.. base.Settings, ("Headstart:Predictions:MaxWaiting", "1"), ("Headstart:Predictions:FeatureCacheBytes", "0")];
    }
}
