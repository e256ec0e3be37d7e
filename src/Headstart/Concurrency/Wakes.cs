namespace Headstart.Concurrency;

/// <summary>A semaphore as a bell: however often it is rung, it wakes the waiter once.</summary>
internal static class Wakes
{
    /// <param name="bell">With a maximum count of 1.</param>
    public static void Wake(this SemaphoreSlim bell)
    {
        try
        {
            bell.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // Already released, or disposed.
        }
    }
}
