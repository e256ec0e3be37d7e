using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace Headstart.Benchmarks.Serving;

/// <summary>An answer: its status, and milliseconds since the request was due.</summary>
internal readonly record struct Answer(HttpStatusCode Status, double Milliseconds);

/// <summary>Results of a request generator, and the cores that it used itself meanwhile.</summary>
internal sealed record Load(IReadOnlyCollection<Answer> Answers, double Seconds, double OwnCores)
{
    public double PerSecond => Answers.Count / Seconds;

    public IReadOnlyCollection<double> Milliseconds => [.. Answers.Select(answer => answer.Milliseconds)];

    /// <summary>Clients that each send their next request after the previous answer.</summary>
    /// <param name="client">HTTP client; its connections stay open.</param>
    /// <param name="target">Address of request i.</param>
    /// <param name="content">Body of request i.</param>
    /// <param name="concurrency">Number of clients.</param>
    /// <param name="count">Total number of requests.</param>
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

    /// <summary>Requests at a fixed rate, whether or not earlier ones were answered, like the load of a popular service.</summary>
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
