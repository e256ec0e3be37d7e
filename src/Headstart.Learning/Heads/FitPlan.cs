namespace Headstart.Learning.Heads;

/// <summary>
/// A number of fits on one set that know nothing of each other: they may be made in any order and on several machines. A fit's answer is
/// numbers, which are put together when all are there.
/// </summary>
public abstract class FitPlan : IDisposable
{
    /// <summary>How many fits.</summary>
    public abstract int Count { get; }

    /// <summary>One of the fits, which keeps one core busy; several threads may make fits at once.</summary>
    /// <param name="number">0..<see cref="Count"/>-1.</param>
    /// <param name="cancel">Looked at in every iteration.</param>
    public abstract float[] Fit(int number, CancellationToken cancel);

    /// <summary>All of them, on all cores.</summary>
    /// <param name="cancel">Looked at in every iteration of every fit.</param>
    /// <param name="progress">Receives the share done, 0..1.</param>
    public float[][] FitAll(CancellationToken cancel, IProgress<double>? progress = null)
    {
        var (fits, done, gate) = (new float[Count][], 0, new Lock());
        Parallel.For(0, Count, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount },
            Make);
        return fits;

        void Make(int number)
        {
            fits[number] = Fit(number, cancel);
            lock (gate)
            {
                progress?.Report((double)++done / Count);
            }
        }
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}
