using System.Diagnostics;

namespace Headstart.Concurrency;

/// <summary>
/// Whose turn it is on the cores. There are as many workers as cores, each a thread of its own that takes one piece of work, such as an
/// image, from start to end: while one decodes another forwards, and the pool's threads stay free for requests. What waits is not made a
/// batch, as networks of this size gain nothing from one on a CPU: Headstart.Benchmarks measured 151 images/s one at a time and 152 in
/// eights with mobilenet-edgetpu-1.0, 181 and 175 with mobilenetv2-1.0, 311 and 249 with squeezenet1.1. Fair between accounts, bounded by
/// count and by bytes, and nobody waits for longer than <see cref="PredictionSettings.MaxQueueSeconds"/>.
/// </summary>
public sealed class Cores : IHostedLifecycleService, IDisposable
{
    /// <summary>How long work without an audience lets requests go first.</summary>
    private static readonly TimeSpan LongestCourtesy = TimeSpan.FromMilliseconds(100);

    private readonly object _gate = new(); // no Lock: workers wait for it to be pulsed
    private readonly FairQueue<Work> _waiting;
    private readonly ManualResetEventSlim _quiet = new(initialState: true); // the queue is empty and no worker is busy
    private readonly TimeSpan _longestWait;
    private readonly TimeProvider _clock;
    private readonly Telemetry _telemetry;
    private int _free; // workers without work
    private int _working;
    private bool _ended;

    public Cores(Settings settings, TimeProvider clock, Telemetry telemetry)
    {
        (_clock, _telemetry) = (clock, telemetry);
        _waiting = new(settings.Predictions.MaxWaiting, settings.Predictions.MaxWaitingBytes);
        _longestWait = TimeSpan.FromSeconds(settings.Predictions.MaxQueueSeconds);
        telemetry.Watch(() => Waiting);
        for (var i = 0; i < Environment.ProcessorCount; i++)
        {
            new Thread(TakeTurns) { IsBackground = true, Name = $"Core {i}" }.Start();
        }
    }

    /// <summary>What waits for a core.</summary>
    public (int Count, long Bytes) Waiting
    {
        get
        {
            lock (_gate)
            {
                return (_waiting.Count, _waiting.Bytes);
            }
        }
    }

    /// <summary>Runs work on one core as soon as it is the account's turn.</summary>
    /// <param name="account">The account that asks.</param>
    /// <param name="bytes">What it holds in memory while it waits.</param>
    /// <param name="work">Called on a worker's thread; what it throws is thrown here.</param>
    /// <param name="cancel">Gives the place up. Work that has begun is not interrupted.</param>
    /// <returns>null when there is no place, at once; when it was given to an account with less; or when its turn did not come in
    /// time.</returns>
    public async Task<T?> RunAsync<T>(Guid account, long bytes, Func<T> work, CancellationToken cancel)
        where T : class
    {
        T? result = null;
        var waiting = new Work(() => result = work(), _clock.GetTimestamp());
        if (Enter(account, bytes, waiting) is not { } place)
        {
            _telemetry.Refused("full");
            return null;
        }

        using var hangUp = cancel.UnsafeRegister(_ => Leave(place, "cancelled", cancel), null);
        using var patience = _clock.CreateTimer(_ => Leave(place, "late"), null, _longestWait, Timeout.InfiniteTimeSpan);
        return await waiting.Ended ? result : null;
    }

    /// <summary>
    /// For work that nobody waits for at the other end of a connection, before each piece of it: lets those go first whom somebody waits
    /// for, up to a limit, so that it goes on beside the busiest host.
    /// </summary>
    public void GiveWay(CancellationToken cancel) => _quiet.Wait(LongestCourtesy, cancel);

    /// <summary>The host says that it is not ready and refuses new predictions by now; what was accepted before is answered before
    /// addresses close.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        while (!_quiet.IsSet && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), _clock, CancellationToken.None);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Workers end after what they have in hand.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }

    private FairQueue<Work>.Place? Enter(Guid account, long bytes, Work work)
    {
        IReadOnlyList<Work> evicted;
        FairQueue<Work>.Place? place;
        lock (_gate)
        {
            place = _waiting.Enqueue(account, bytes, work, _free, out evicted);
            Settle();
            Monitor.Pulse(_gate);
        }

        foreach (var other in evicted)
        {
            _telemetry.Refused("unfair");
            other.Refuse();
        }

        return place;
    }

    private void Leave(FairQueue<Work>.Place place, string why, CancellationToken cancel = default)
    {
        lock (_gate)
        {
            if (!_waiting.Remove(place))
            {
                return; // it runs, or has run
            }

            Settle();
        }

        _telemetry.Refused(why);
        place.Entry.Refuse(cancel);
    }

    private void TakeTurns()
    {
        while (Next() is { } work)
        {
            _telemetry.Waited(_clock.GetElapsedTime(work.Since));
            work.Run();
            lock (_gate)
            {
                _working--;
                Settle();
            }
        }
    }

    private Work? Next()
    {
        lock (_gate)
        {
            _free++;
            while (!_ended && _waiting.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            _free--;
            var work = _waiting.Dequeue();
            _working += work is null ? 0 : 1;
            return work;
        }
    }

    /// <summary>Inside the gate.</summary>
    private void Settle()
    {
        if (_working == 0 && _waiting.Count == 0)
        {
            _quiet.Set();
        }
        else
        {
            _quiet.Reset();
        }
    }

    private sealed class Work(Action work, long since)
    {
        // Continued on the pool: the worker goes on with the next one.
        private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly Activity? _cause = Activity.Current;

        /// <summary>False where it was refused.</summary>
        public Task<bool> Ended => _ended.Task;

        /// <summary>When it was queued.</summary>
        public long Since => since;

        public void Refuse(CancellationToken cancel = default) =>
            _ = cancel.IsCancellationRequested ? _ended.TrySetCanceled(cancel) : _ended.TrySetResult(false);

        public void Run()
        {
            Activity.Current = _cause; // what is traced on this thread belongs to the request
            try
            {
                work();
                _ended.TrySetResult(true);
            }
            catch (Exception exception)
            {
                _ended.TrySetException(exception); // thrown at whoever waits for it; the worker goes on
            }
            finally
            {
                Activity.Current = null;
            }
        }
    }
}
