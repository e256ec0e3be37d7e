namespace Headstart.Concurrency;

/// <summary>A semaphore as a bell: rung any number of times, it wakes the one who waits once.</summary>
internal static class Wakes
{
    /// <param name="bell">Of at most one.</param>
    public static void Wake(this SemaphoreSlim bell)
    {
        try
        {
            bell.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // It is already released, or disposed.
        }
    }
}
