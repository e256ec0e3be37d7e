using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime;

namespace Headstart.Tests;

/// <summary>
/// What tests spend their time waiting for. Where HEADSTART_TEST_WAITS names a folder the sums are written there when the test process
/// ends, and <c>.ci/times</c> prints them beside the slowest tests.
/// </summary>
internal static class Waits
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("HEADSTART_TEST_WAITS");
    private static readonly ConcurrentDictionary<string, (int Count, TimeSpan Time)> Sums = new();

    static Waits() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Write();

    /// <summary>Counts the time until what it returns is disposed.</summary>
    public static IDisposable For(string what) => new Wait(what);

    private static void Write()
    {
        if (!string.IsNullOrEmpty(Folder))
        {
            Sums["nothing: this process compiled methods"] = ((int)JitInfo.GetCompiledMethodCount(), JitInfo.GetCompilationTime());
            Sums["nothing: this process used the processor"] = (1, Environment.CpuUsage.TotalTime);
            File.WriteAllLines(Path.Combine(Folder, $"{AppDomain.CurrentDomain.FriendlyName}.waits"),
                Sums.Select(sum => string.Create(System.Globalization.CultureInfo.InvariantCulture,
                    $"{sum.Value.Time.TotalSeconds:0.0}\t{sum.Value.Count}\t{sum.Key}")));
        }
    }

    private sealed class Wait(string what) : IDisposable
    {
        private readonly long _started = Stopwatch.GetTimestamp();

        public void Dispose()
        {
            var time = Stopwatch.GetElapsedTime(_started);
            Sums.AddOrUpdate(what, (1, time), (_, sum) => (sum.Count + 1, sum.Time + time));
        }
    }
}
