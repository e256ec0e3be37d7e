using System.Diagnostics;

namespace Headstart.Pretraining;

/// <summary>A progress line on the console, overwritten while a step runs: percentage, images per second, time left.</summary>
public sealed class Progress
{
    private static readonly TimeSpan Pause = Console.IsOutputRedirected ? TimeSpan.FromMinutes(1) : TimeSpan.FromMilliseconds(200);
    private readonly Lock _lock = new();
    private string _what = "";
    private long _done;
    private long _before; // done by an earlier process: does not count for the speed
    private long _total;
    private long _started;
    private long _shown;

    public void Start(string what, long total, long done = 0)
    {
        (_what, _total, _done, _before) = (what, total, done, done);
        _started = _shown = Stopwatch.GetTimestamp();
        Say(what);
    }

    /// <param name="count">Images just finished. Any thread may call this.</param>
    /// <param name="note">Shown after the numbers.</param>
    public void Add(int count, string note = "")
    {
        lock (_lock)
        {
            _done += count;
            if (_done < _total && Stopwatch.GetElapsedTime(_shown) < Pause)
            {
                return;
            }

            _shown = Stopwatch.GetTimestamp();
            var speed = (_done - _before) / Math.Max(1e-3, Stopwatch.GetElapsedTime(_started).TotalSeconds);
            var left = TimeSpan.FromSeconds((_total - _done) / Math.Max(1e-3, speed));
            var line = $"{_what}: {100.0 * _done / _total,5:0.0} %  {speed:0} images/s  {left:hh\\:mm\\:ss} left  {note}";
            if (Console.IsOutputRedirected)
            {
                Console.WriteLine(line);
            }
            else
            {
                Console.Write($"\r{line,-110}");
            }
        }
    }

    public void Say(string sentence)
    {
        lock (_lock)
        {
            Console.WriteLine(Console.IsOutputRedirected ? sentence : $"\r{sentence,-110}");
        }
    }
}
