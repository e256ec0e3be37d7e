using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace Headstart.Benchmarks.Serving;

/// <summary>An answer: its status, and the milliseconds from the moment when the request was due.</summary>
internal readonly record struct Answer(HttpStatusCode Status, double Milliseconds);

/// <summary>What a generator of requests got, and how many cores' worth of work it did itself meanwhile.</summary>
internal sealed record Load(IReadOnlyCollection<Answer> Answers, double Seconds, double OwnCores)
{
    public double PerSecond => Answers.Count / Seconds;

    public IReadOnlyCollection<double> Milliseconds => [.. Answers.Select(answer => answer.Milliseconds)];

    /// <summary>So many clients, each of which sends its next request when it has its answer.</summary>
    /// <param name="client">Its connections stay open.</param>
    /// <param name="target">Where request i goes.</param>
    /// <param name="content">Its body.</param>
    /// <param name="concurrency">Number of clients.</param>
    /// <param name="count">Requests in all.</param>
    /// <exception cref="InvalidOperationException">An answer was not 200.</exception>
    public static async Task<Load> ClosedAsync(HttpClient client, Func<int, Uri> target, Func<int, HttpContent> content, int concurrency,
        int count)
    {
        var answers = new ConcurrentQueue<Answer>();
        var next = -1;
        return await MeasureAsync(answers, () => Task.WhenAll(Enumerable.Range(0, concurrency).Select(_ => Task.Run(ClientAsync))));

        async Task ClientAsync()
        {
            while (Interlocked.Increment(ref next) is var i && i < count)
            {
                var answer = await SendAsync(client, target(i), content(i), Stopwatch.GetTimestamp());
                answers.Enqueue(answer.Status == HttpStatusCode.OK ? answer
                    : throw new InvalidOperationException($"{target(i)} answered {answer.Status}."));
            }
        }
    }

    /// <summary>Requests at a fixed rate, whether or not earlier ones were answered: what a service meets that has become
    /// popular.</summary>
    public static async Task<Load> OpenAsync(HttpClient client, Uri target, Func<int, HttpContent> content, double perSecond,
        TimeSpan duration)
    {
        var answers = new ConcurrentQueue<Answer>();
        return await MeasureAsync(answers, async () =>
        {
            var sent = new List<Task>();
            var start = Stopwatch.GetTimestamp();
            var count = (int)(perSecond * duration.TotalSeconds);
            while (sent.Count < count)
            {
                for (var due = Math.Min(count, (int)(Stopwatch.GetElapsedTime(start).TotalSeconds * perSecond)); sent.Count < due;)
                {
                    sent.Add(SendOneAsync(sent.Count, start + (long)(sent.Count / perSecond * Stopwatch.Frequency)));
                }

                await Task.Delay(1);
            }

            await Task.WhenAll(sent);
        });

        async Task SendOneAsync(int i, long due) => answers.Enqueue(await SendAsync(client, target, content(i), due));
    }

    private static async Task<Answer> SendAsync(HttpClient client, Uri target, HttpContent content, long due)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = content };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead);
        return new(response.StatusCode, Stopwatch.GetElapsedTime(due).TotalMilliseconds);
    }

    private static async Task<Load> MeasureAsync(ConcurrentQueue<Answer> answers, Func<Task> work)
    {
        var (start, busy) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await work();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new(answers, seconds, (Environment.CpuUsage.TotalTime - busy).TotalSeconds / seconds);
    }
}
