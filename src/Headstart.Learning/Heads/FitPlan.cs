namespace Headstart.Learning.Heads;

/// <summary>Independent fits on one set: they may run in any order and on several machines. Each returns numbers, which are combined when
/// all are there.</summary>
public abstract class FitPlan : IDisposable
{
    /// <summary>Number of fits.</summary>
    public abstract int Count { get; }

    /// <summary>Computes one of the fits on one core; several threads may call this at once.</summary>
    /// <param name="number">0..<see cref="Count"/>-1.</param>
    /// <param name="cancel">Checked in every iteration.</param>
    public abstract float[] Fit(int number, CancellationToken cancel);

    /// <summary>Computes all fits on all cores.</summary>
    /// <param name="cancel">Checked in every iteration of every fit.</param>
    /// <param name="progress">Receives the share done, 0..1.</param>
    public float[][] FitAll(CancellationToken cancel, IProgress<double>? progress = null)
    {
        var (fits, done, gate) = (new float[Count][], 0, new Lock());
        AllCores.For(Count, Make, cancel);
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
