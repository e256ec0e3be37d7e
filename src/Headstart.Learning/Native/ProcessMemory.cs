using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Headstart.Learning.Native;

/// <summary>Physical memory of this process as the operating system counts it, native code included.</summary>
public static class ProcessMemory
{
    private static readonly Lock Gate = new();
    private static long _peak;

    /// <summary>Current bytes.</summary>
    public static long Resident => OperatingSystem.IsLinux() ? Status("VmRSS:") : Refreshed().WorkingSet64;

    /// <summary>Most bytes since the start or, on Linux, since <see cref="ForgetPeak"/>.</summary>
    public static long Peak
    {
        get
        {
            lock (Gate)
            {
                // Linux counts roughly while memory grows: its peak may shrink by a page a moment later.
                return _peak = Math.Max(_peak, OperatingSystem.IsLinux() ? Status("VmHWM:") : Refreshed().PeakWorkingSet64);
            }
        }
    }

    /// <summary>Returns freed memory to the system, so that later use shows as growth.</summary>
    public static void Trim()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (Glibc("malloc_trim") is var trim && trim != 0)
        {
            unsafe
            {
                _ = ((delegate* unmanaged<nuint, int>)trim)(0);
            }
        }
    }

    /// <summary>
    /// Keeps freed native memory in this process from now on. By default glibc returns large blocks to the system, which clears them before
    /// handing them out again: two thirds of the time of convolutions whose activations take 100 MB. Resident memory then stays at its
    /// peak. Call it before other threads start: threads that already have their own heap keep it, and such heaps cannot hold large blocks.
    /// Does nothing without glibc.
    /// </summary>
    public static void Keep()
    {
        const int TrimThreshold = -1, MostMappings = -4, MostArenas = -8; // mallopt(3)
        if (Glibc("mallopt") is var set && set != 0)
        {
            unsafe
            {
                var option = (delegate* unmanaged<int, int, int>)set;
                _ = option(MostMappings, 0);
                _ = option(TrimThreshold, -1); // never
                _ = option(MostArenas, 1); // only the main heap, which grows without limit
            }
        }
    }

    /// <summary>Resets <see cref="Peak"/>, if the system allows: Linux, unless it is locked down.</summary>
    public static void ForgetPeak()
    {
        try
        {
            lock (Gate)
            {
                File.WriteAllText("/proc/self/clear_refs", "5"); // proc(5): reset the peak resident set size
                _peak = 0;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Then the peak covers the whole life of the process: too high, never too low.
        }
    }

    private static long Status(string name)
    {
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : 1024 * long.Parse(line.AsSpan()[name.Length..^" kB".Length], CultureInfo.InvariantCulture);
    }

    private static nint Glibc(string function) => OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var libc)
        && NativeLibrary.TryGetExport(libc, function, out var address) ? address : 0;

    private static Process Refreshed()
    {
        var process = Process.GetCurrentProcess();
        process.Refresh();
        return process;
    }
}
