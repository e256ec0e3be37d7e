using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Headstart.Tests.ApiDocument;

/// <summary>
/// Sends what nobody should send to every operation of the committed document and compares the answers with it. HEADSTART_FUZZ_SEED and
/// HEADSTART_FUZZ_REQUESTS take other requests and more of them; request i of a seed is made from seed + i alone and from what exists.
/// </summary>
public sealed class FuzzTests(FuzzHost host) : IClassFixture<FuzzHost>
{
    private const int Most = 3; // of work that goes on behind an answer

    private static readonly int Seed = Number("HEADSTART_FUZZ_SEED", 20_260_101);
    private static readonly int Requests = Number("HEADSTART_FUZZ_REQUESTS", Needs.HasTime ? 1_000 : 400);

    private readonly DocumentCheck _document = new(DocumentedOperation.ReadDocument());

    [Fact]
    public async Task Whatever_is_sent_the_answer_is_one_that_the_document_names()
    {
        Assert.NotNull(host.Model); // or skipped
        var operations = _document.Operations;
        var (started, failures) = (new Dictionary<string, int>(), new Dictionary<string, string>());
        using var client = Client(TimeSpan.FromMinutes(1));
        using var fresh = Client(TimeSpan.Zero);
        for (var i = 0; i < Requests && failures.Count < 60; i++)
        {
            var operation = operations[i % operations.Count];
            if (started.GetValueOrDefault(operation.Id) >= Most)
            {
                continue;
            }

            var request = new OddRequests(host, new Random(Seed + i), _document.Schemas).Of(operation);
            var (status, wrong) = await AskAsync(client, request);
            if (status == Ended)
            {
                // The host may end a connection after an answer, as it does where it refused a body; a client that sends the next request
                // at that moment gets none. On a connection of its own every request has an answer.
                (status, wrong) = await AskAsync(fresh, request);
            }

            if (status == 202)
            {
                started[operation.Id] = started.GetValueOrDefault(operation.Id) + 1;
                await StopRunsAsync();
            }

            if (wrong is not null)
            {
                failures.TryAdd($"{operation.Id}: {wrong[..Math.Min(wrong.Length, 40)]}", $"Seed {Seed}, request {i}: {wrong}\n{request}");
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Values));
    }

    private const int Ended = -1; // in place of a status: the connection ended without one

    private static HttpClient Client(TimeSpan connectionLifetime) => new(new SocketsHttpHandler
    {
        RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
        AllowAutoRedirect = false,
        PooledConnectionLifetime = connectionLifetime,
    });

    private async Task<(int Status, string? Wrong)> AskAsync(HttpClient client, OddRequest request)
    {
        using var message = request.Message(host.Address);
        using var slow = CancellationTokenSource.CreateLinkedTokenSource(Api.Cancel);
        slow.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            using var response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, slow.Token);
            return ((int)response.StatusCode, await WrongAsync(request, response, slow.Token));
        }
        catch (HttpRequestException e) when (request.Body?.Length > 1_000_000)
        {
            Debug.WriteLine(e.Message); // refused and closed before all was sent
            return (413, null);
        }
        catch (HttpRequestException e)
        {
            return (Ended, $"no answer: {e.GetBaseException().Message}");
        }
        catch (OperationCanceledException e) when (!Api.Cancel.IsCancellationRequested)
        {
            return (0, $"no answer in time: {e.Message}"); // not asked again: who waits in vain once has found something
        }
    }

    private async Task<string?> WrongAsync(OddRequest request, HttpResponseMessage response, CancellationToken cancel)
    {
        var status = (int)response.StatusCode;
        var mediaType = response.Content.Headers.ContentType?.MediaType;
        if (mediaType == "text/event-stream")
        {
            return await WrongEventAsync(request, response, cancel);
        }

        var body = await response.Content.ReadAsByteArrayAsync(cancel);
        if (status == 400 && body.Length == 0 && request.Path.Contains("%00", StringComparison.Ordinal))
        {
            return null; // the server itself refuses such a path
        }

        if (request.Misrouted && status is 404 or 405 && mediaType == "application/problem+json")
        {
            // no operation of ours, and so in the form of none: Open Inference has its own
            return DocumentCheck.WrongProblem(body, mediaType, status);
        }

        return _document.Wrong(request.Operation, status, mediaType, body);
    }

    /// <summary>The first event; the rest may take as long as the work does.</summary>
    private async Task<string?> WrongEventAsync(OddRequest request, HttpResponseMessage response, CancellationToken cancel)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancel));
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return _document.WrongEvent(request.Operation, line[6..]);
            }
        }

        return "there was no event";
    }

    /// <summary>Training would take the cores from the requests that follow.</summary>
    private async Task StopRunsAsync()
    {
        foreach (var model in (await host.Client.GetJsonAsync("/api/v1/models?limit=200"))["items"]!.AsArray())
        {
            var runs = $"/api/v1/models/{model!["id"]}/training-runs";
            foreach (var run in (await host.Client.GetJsonAsync(runs))["items"]!.AsArray()
                .Where(run => (string)run!["state"]! is "queued" or "running"))
            {
                await host.Client.PostAsync($"{runs}/{run!["id"]}/cancel", new { });
            }
        }
    }

    private static int Number(string name, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : usual;
}
