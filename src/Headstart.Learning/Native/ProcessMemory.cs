using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Headstart.Learning.Native;

/// <summary>What this process holds in physical memory, by the operating system's account: native code included.</summary>
public static class ProcessMemory
{
    private static readonly Lock Gate = new();
    private static long _peak;

    /// <summary>Bytes now.</summary>
    public static long Resident => OperatingSystem.IsLinux() ? Status("VmRSS:") : Refreshed().WorkingSet64;

    /// <summary>Most bytes since the start or, on Linux, since <see cref="ForgetPeak"/>.</summary>
    public static long Peak
    {
        get
        {
            lock (Gate)
            {
                // Linux counts roughly while memory grows: what it calls the peak may be a page less a moment later.
                return _peak = Math.Max(_peak, OperatingSystem.IsLinux() ? Status("VmHWM:") : Refreshed().PeakWorkingSet64);
            }
        }
    }

    /// <summary>Hands back what was freed, so that what comes next shows as growth.</summary>
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
    /// Keeps native memory that was freed for what comes next, in this process from now on. glibc gives large blocks back to the system,
    /// which clears them before it lends them again: of the time of convolutions whose activations take 100 MB two thirds go there. What
    /// stays resident is the most that was ever used. Call it before other threads start: those that have a heap of their own already stay
    /// with it, and such heaps have no place for large blocks. Does nothing without glibc.
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
                _ = option(MostArenas, 1); // the heap that grows without a limit
            }
        }
    }

    /// <summary>Resets <see cref="Peak"/> where the system supports it: Linux, unless it is locked down.</summary>
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
            // Then the peak is that of the whole life of the process: more than it should be, never less.
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
