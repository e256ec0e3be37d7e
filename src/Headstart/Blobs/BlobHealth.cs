namespace Headstart.Blobs;

/// <summary>Whether the blob store responds: checked at most every few seconds, however often this is called.</summary>
public sealed class BlobHealth(IBlobStore blobs, TimeProvider clock)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private Task<bool>? _answer;
    private long _asked;

    /// <summary>The result of a check at most five seconds ago.</summary>
    public Task<bool> AnswersAsync()
    {
        lock (_lock)
        {
            if (_answer is null || (_answer.IsCompleted && clock.GetElapsedTime(_asked) > Lifetime))
            {
                (_answer, _asked) = (AskAsync(), clock.GetTimestamp());
            }

            return _answer;
        }
    }

    /// <exception cref="StartupException">The store refuses, or does not answer within half a minute; the message says what to
    /// do.</exception>
    public async Task WaitAsync(CancellationToken cancel)
    {
        for (var started = clock.GetTimestamp(); ;)
        {
            try
            {
                await blobs.CheckAsync(cancel);
                return;
            }
            catch (BlobStoreUnavailableException e)
            {
                if (!e.IsTransient || clock.GetElapsedTime(started) > StartTimeout)
                {
                    throw new StartupException(e.Message, e);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(500), clock, cancel);
            }
        }
    }

    private async Task<bool> AskAsync()
    {
        using var soon = new CancellationTokenSource(Soon, clock);
        try
        {
            await blobs.CheckAsync(soon.Token);
            return true;
        }
        catch (Exception e) when (e is BlobStoreUnavailableException or OperationCanceledException)
        {
            return false;
        }
    }
}
