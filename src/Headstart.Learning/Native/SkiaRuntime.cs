using SkiaSharp;

namespace Headstart.Learning.Native;

/// <summary>Finds out once whether Skia can be loaded: without it JPEGs are read by libvips, in twice the time.</summary>
internal static class SkiaRuntime
{
    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Loads Skia if that has not happened yet. Safe to call from any thread, any number of times.</summary>
    /// <returns>False where its library is missing or cannot be loaded.</returns>
    public static bool TryLoad() => Started.Value;

    private static bool Start()
    {
        try
        {
            using var data = SKData.CreateCopy([0]);
            return data is not null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or TypeInitializationException)
        {
            return false;
        }
    }
}
