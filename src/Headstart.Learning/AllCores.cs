using System.Runtime.ExceptionServices;

namespace Headstart.Learning;

/// <summary>Work on all cores that fails as it would on one: with the exception of a worker, not with an <see cref="AggregateException"/>
/// around it, so that callers find the refusals that they expect.</summary>
public static class AllCores
{
    /// <param name="count">Calls <paramref name="work"/> with 0..<paramref name="count"/>-1.</param>
    /// <param name="work">May run on several threads at once.</param>
    /// <param name="cancel">Checked before each call. Once it is cancelled, nothing else is thrown.</param>
    public static void For(int count, Action<int> work, CancellationToken cancel)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount },
                work);
        }
        catch (AggregateException failures)
        {
            cancel.ThrowIfCancellationRequested();
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }
}
