using SkiaSharp;

namespace Headstart.Learning.Native;

/// <summary>Checks once whether Skia can be loaded. Without it libvips reads JPEGs, which takes twice as long.</summary>
internal static class SkiaRuntime
{
    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Loads Skia on first use. Thread-safe.</summary>
    /// <returns>False if its library is missing or cannot be loaded.</returns>
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
