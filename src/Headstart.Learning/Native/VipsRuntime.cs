using NetVips;

namespace Headstart.Learning.Native;

/// <summary>Starts libvips once, with settings for untrusted files.</summary>
public static class VipsRuntime
{
    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Loads libvips on first use. Thread-safe.</summary>
    /// <exception cref="DllNotFoundException">The native library is missing or cannot be loaded on this system.</exception>
    public static void EnsureLoaded() => _ = Started.Value;

    private static bool Start()
    {
        if (!ModuleInitializer.VipsInitialized)
        {
            throw new DllNotFoundException("libvips could not be loaded: is the NetVips.Native package for this system installed?",
                ModuleInitializer.Exception);
        }

        // Loaders not written for hostile input stay disabled (CVE-2026-66066).
        NetVips.NetVips.BlockUntrusted = true;
        // Callers decode many images in parallel: one thread per image wastes least.
        NetVips.NetVips.Concurrency = 1;
        // Damage is reported as a refusal; without this libvips also prints every oddity of every file to stderr.
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.All, static (_, _, _) => { });
        // No operation is repeated on the same image, so a cache would only take memory.
        Cache.Max = 0;
        Cache.MaxMem = 0;
        Cache.MaxFiles = 0;
        return true;
    }
}
