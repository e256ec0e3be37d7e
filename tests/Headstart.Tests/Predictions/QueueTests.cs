using System.Net;
using Headstart.Concurrency;
using Headstart.Configuration;
using Headstart.Tests.Concurrency;
using Headstart.Tests.Metrics;
using Headstart.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Predictions;

public sealed class QueueTests(QueueTests.SmallHost host) : IClassFixture<QueueTests.SmallHost>
{
    private const int MaxBytes = 100_000;

    private readonly Cores _cores = host.Services.GetRequiredService<Cores>();

    [Fact]
    public async Task A_full_queue_is_said_at_once_and_what_waits_in_it_is_answered()
    {
        var model = host.Model;
        Task<HttpResponseMessage>[] waiting;
        await using (await HeldCores.HoldAsync(_cores))
        {
            waiting = [PredictAsync(11), PredictAsync(12), PredictAsync(13)];
            await _cores.UntilWaitingAsync(3);

            var refused = await PredictAsync(14); // comes back although no core is free

            await refused.ProblemAsync(HttpStatusCode.ServiceUnavailable, "overloaded");
            Assert.NotNull(refused.Headers.RetryAfter);
            Assert.All(waiting, request => Assert.False(request.IsCompleted));
        }

        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    [Fact]
    public async Task Large_files_fill_the_queue_by_their_bytes()
    {
        var model = host.Model;
        Task<HttpResponseMessage> waiting;
        await using (await HeldCores.HoldAsync(_cores))
        {
            waiting = PredictAsync(21, bytes: MaxBytes * 2 / 3);
            await _cores.UntilWaitingAsync(1);

            await (await PredictAsync(22, bytes: MaxBytes * 2 / 3)).ProblemAsync(HttpStatusCode.ServiceUnavailable, "overloaded");
        }

        Assert.Equal(HttpStatusCode.OK, (await waiting).StatusCode);
    }

    [Fact]
    public async Task A_client_that_hangs_up_frees_its_place_and_its_image_is_never_decoded()
    {
        var model = host.Model;
        using var measured = new Measured(host);
        await using (await HeldCores.HoldAsync(_cores))
        {
            using var hangUp = new CancellationTokenSource();
            var waiting = PredictAsync(31, cancel: hangUp.Token);
            await _cores.UntilWaitingAsync(1);

            await hangUp.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            await _cores.UntilWaitingAsync(0);
        }

        Assert.Equal(HttpStatusCode.OK, (await PredictAsync(32)).StatusCode);
        for (var looks = 0; measured.Count("headstart.predictions.refused") == 0 && looks < 1_000; looks++)
        {
            await Task.Delay(5, Api.Cancel); // counted a moment after it has left
        }

        Assert.Equal((1, 1), (measured.Count("headstart.decode.duration"), measured.Count("headstart.predictions.refused")));
    }

    [Fact]
    public async Task An_image_that_is_known_is_answered_without_a_core_whatever_it_is_called()
    {
        using var measured = new Measured(host);
        var first = await (await PredictAsync(77)).JsonAsync();
        Assert.Equal(1, measured.Count("headstart.forward.duration"));

        await using var held = await HeldCores.HoldAsync(_cores);
        var again = await (await PredictAsync(77)).JsonAsync();

        Assert.Equal(first.ToJsonString(), again.ToJsonString());
        Assert.Equal((1, 1), (measured.Count("headstart.forward.duration"), measured.Count("headstart.decode.duration")));
    }

    /// <summary>The cat with something behind its end that makes it another file; a number of its own for each, as known images do not
    /// wait.</summary>
    private Task<HttpResponseMessage> PredictAsync(int number, int bytes = 0, CancellationToken? cancel = null)
    {
        var photo = Pets.Cat;
        return host.Client.PostAsync($"{host.Model}/predictions",
            Api.Raw([.. photo, (byte)number, .. new byte[Math.Max(0, bytes - photo.Length - 1)]]), cancel ?? Api.Cancel);
    }

    public sealed class SmallHost(TestPostgres postgres) : TrainedHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
        [
            .. base.Settings, ("Headstart:Predictions:MaxWaiting", "3"), ("Headstart:Predictions:MaxQueueSeconds", "3600"),
            ("Headstart:Predictions:MaxWaitingBytes", $"{MaxBytes}"), ("Headstart:Uploads:MaxFileBytes", $"{MaxBytes}"),
        ];
    }
}
