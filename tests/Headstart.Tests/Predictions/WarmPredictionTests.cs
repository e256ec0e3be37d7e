using System.Collections.Concurrent;
using System.Diagnostics;

namespace Headstart.Tests.Predictions;

public sealed class WarmPredictionTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    [Fact]
    public async Task A_warm_prediction_asks_the_database_nothing()
    {
        using var queries = new Queries();
        await host.Client.PredictAsync(host.Model, Pets.Cats[0]);
        Assert.NotEqual(0, await queries.OfAsync(() => host.Client.GetJsonAsync(host.Model))); // else nothing would be counted

        for (var looks = 0; ; looks++)
        {
            await Task.Delay(TimeSpan.FromSeconds(2.2), Api.Cancel); // longer than anything holds that nobody listens for
            if (await queries.OfAsync(() => host.Client.PredictAsync(host.Model, Pets.Dogs[0])) == 0)
            {
                return;
            }

            Assert.True(looks < 20, "A warm prediction asks the database."); // a stalled machine may hear nothing for a second
        }
    }

    /// <summary>The commands that Npgsql sends for a request, told from those of other hosts and jobs by the trace that the request
    /// begins.</summary>
    private sealed class Queries : IDisposable
    {
        private readonly ActivitySource _source = new("Headstart.Tests.Queries");
        private readonly ConcurrentDictionary<ActivityTraceId, int> _counts = new();
        private readonly ActivityListener _listener;

        public Queries()
        {
            _listener = new()
            {
                ShouldListenTo = source => source.Name is "Npgsql" or "Microsoft.AspNetCore" || source == _source,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStarted = activity =>
                    _counts.AddOrUpdate(activity.TraceId, 0, (_, count) => count + (activity.Source.Name == "Npgsql" ? 1 : 0)),
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public async Task<int> OfAsync<T>(Func<Task<T>> request)
        {
            using var trace = _source.StartActivity("request")!;
            await request();
            return _counts[trace.TraceId];
        }

        public void Dispose()
        {
            _listener.Dispose();
            _source.Dispose();
        }
    }
}
