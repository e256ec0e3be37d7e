namespace Headstart.Learning.Backbones;

/// <summary>Runs work once when several callers of this process want it at the same time; it is cancelled when the last of them
/// leaves.</summary>
internal sealed class SharedWork
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, SharedWork> Running = [];

    private readonly List<IProgress<(long, long)>> _listeners = [];
    private Task _task = Task.CompletedTask;
    private Action _stop = () => { };
    private int _callers;

    private SharedWork()
    {
    }

    /// <param name="key">Callers with the same key share.</param>
    /// <param name="progress">Receives the work's reports from now on.</param>
    /// <param name="work">Started by the first caller; its token is cancelled when the last caller leaves.</param>
    /// <param name="cancel">Ends this caller's wait.</param>
    public static async Task RunAsync(string key, IProgress<(long, long)>? progress,
        Func<Action<(long, long)>, CancellationToken, Task> work, CancellationToken cancel)
    {
        var shared = Join(key, progress, work);
        try
        {
            await shared._task.WaitAsync(cancel);
        }
        finally
        {
            shared.Leave(key, progress);
        }
    }

    private static SharedWork Join(string key, IProgress<(long, long)>? progress, Func<Action<(long, long)>, CancellationToken, Task> work)
    {
        lock (Gate)
        {
            if (!Running.TryGetValue(key, out var shared) || shared._task.IsCompleted)
            {
                Running[key] = shared = new SharedWork();
                var (started, stop) = (shared, new CancellationTokenSource());
                shared._stop = stop.Cancel;
                shared._task = Task.Run(() => work(started.Report, stop.Token));
            }

            shared._callers++;
            if (progress is not null)
            {
                shared._listeners.Add(progress);
            }

            return shared;
        }
    }

    private void Leave(string key, IProgress<(long, long)>? progress)
    {
        lock (Gate)
        {
            if (progress is not null)
            {
                _listeners.Remove(progress);
            }

            if (--_callers > 0)
            {
                return;
            }

            if (Running.GetValueOrDefault(key) == this)
            {
                Running.Remove(key);
            }
        }

        _stop();
    }

    private void Report((long, long) progress)
    {
        IProgress<(long, long)>[] listeners;
        lock (Gate)
        {
            listeners = [.. _listeners];
        }

        foreach (var listener in listeners)
        {
            listener.Report(progress);
        }
    }
}
