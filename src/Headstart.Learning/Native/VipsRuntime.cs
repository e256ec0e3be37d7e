using NetVips;

namespace Headstart.Learning.Native;

/// <summary>Starts libvips once, with settings for a service that decodes strangers' files.</summary>
public static class VipsRuntime
{
    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Loads libvips if that has not happened yet. Safe to call from any thread, any number of times.</summary>
    /// <exception cref="DllNotFoundException">The native library is missing or cannot be loaded on this system.</exception>
    public static void EnsureLoaded() => _ = Started.Value;

    private static bool Start()
    {
        if (!ModuleInitializer.VipsInitialized)
        {
            throw new DllNotFoundException("libvips could not be loaded: is the NetVips.Native package for this system installed?",
                ModuleInitializer.Exception);
        }

        // Loaders that were not written for hostile input stay switched off (CVE-2026-66066).
        NetVips.NetVips.BlockUntrusted = true;
        // Callers decode many images side by side: one thread an image wastes least.
        NetVips.NetVips.Concurrency = 1;
        // Damage is reported as a refusal; libvips would also print every oddity of every file to stderr.
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.All, static (_, _, _) => { });
        // No operation is ever repeated on the same image, so a cache would only hold memory.
        Cache.Max = 0;
        Cache.MaxMem = 0;
        Cache.MaxFiles = 0;
        return true;
    }
}
