using System.Diagnostics;

namespace Headstart.Concurrency;

/// <summary>
/// Schedules work on the cores. Each core has a worker thread that takes one piece of work, such as an image, from start to end: while one
/// decodes, another runs a network, and the pool's threads stay free for requests. Waiting images are not batched, because networks of this
/// size gain nothing from it on a CPU: Headstart.Benchmarks measured 151 images/s one at a time and 152 in eights with
/// mobilenet-edgetpu-1.0, 181 and 175 with mobilenetv2-1.0, 311 and 249 with squeezenet1.1. Fair between accounts, limited by count and by
/// bytes, and nothing waits longer than <see cref="PredictionSettings.MaxQueueSeconds"/>.
/// </summary>
public sealed class Cores : IHostedLifecycleService, IDisposable
{
    /// <summary>How long background work lets requests go first.</summary>
    private static readonly TimeSpan LongestCourtesy = TimeSpan.FromMilliseconds(100);

    private const long Farewell = 1_000; // milliseconds

    private readonly object _gate = new(); // not a Lock: workers wait for it with Monitor
    private readonly FairQueue<Work> _waiting;
    private readonly ManualResetEventSlim _quiet = new(initialState: true); // the queue is empty and no worker is busy
    private readonly TimeSpan _longestWait;
    private readonly TimeProvider _clock;
    private readonly Telemetry _telemetry;
    private long _entered = long.MinValue / 2; // milliseconds, when the last work came
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

    /// <summary>Work that waits for a core, and the bytes it holds.</summary>
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
    /// <param name="bytes">Memory that it holds while it waits.</param>
    /// <param name="work">Called on a worker's thread; its exceptions are thrown here.</param>
    /// <param name="cancel">Leaves the queue. Work that has begun is not interrupted.</param>
    /// <returns>null if the queue was full, if the place went to an account with fewer entries, or if the wait became too
    /// long.</returns>
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
    /// Called by background work before each piece: lets work that a client waits for go first, up to a time limit, so that background work
    /// progresses even on the busiest host.
    /// </summary>
    public void GiveWay(CancellationToken cancel) => _quiet.Wait(LongestCourtesy, cancel);

    /// <summary>By now the host reports that it is not ready and refuses new predictions. Finishes accepted ones before connections close,
    /// and waits until clients that send one after the other have come again and were refused: a request that is on its way while its
    /// connection closes would be lost.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        while ((!_quiet.IsSet || Environment.TickCount64 - Volatile.Read(ref _entered) < Farewell)
            && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(10, CancellationToken.None);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Workers finish their current work and end.</summary>
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
        Volatile.Write(ref _entered, Environment.TickCount64);
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
                return; // already started
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

    /// <summary>Call it inside the gate.</summary>
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
        // Continue on the pool, so that the worker takes the next work.
        private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly Activity? _cause = Activity.Current;

        /// <summary>False if it was refused.</summary>
        public Task<bool> Ended => _ended.Task;

        /// <summary>When it was queued.</summary>
        public long Since => since;

        public void Refuse(CancellationToken cancel = default) =>
            _ = cancel.IsCancellationRequested ? _ended.TrySetCanceled(cancel) : _ended.TrySetResult(false);

        public void Run()
        {
            Activity.Current = _cause; // traces of this thread belong to the request
            try
            {
                work();
                _ended.TrySetResult(true);
            }
            catch (Exception exception)
            {
                _ended.TrySetException(exception); // rethrown in RunAsync; the worker continues
            }
            finally
            {
                Activity.Current = null;
            }
        }
    }
}
