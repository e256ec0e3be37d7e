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
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var libc)
            && NativeLibrary.TryGetExport(libc, "malloc_trim", out var trim))
        {
            unsafe
            {
                _ = ((delegate* unmanaged<nuint, int>)trim)(0);
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

    private static Process Refreshed()
    {
        var process = Process.GetCurrentProcess();
        process.Refresh();
        return process;
    }
}
