using System.Diagnostics;

namespace Headstart.Benchmarks.Serving;

/// <summary>One number measured in several rounds.</summary>
internal sealed class Measured
{
    private readonly List<double> _values = [];

    public double Median => Of(_values);

    public void Add(double value) => _values.Add(value);

    /// <summary>Discards the values so far as warm-up.</summary>
    public void Forget() => _values.Clear();

    /// <summary>Runs the work and adds its rate per second.</summary>
    public void AddRate(int count, Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        Add(count / Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    public async Task AddRateAsync(int count, Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        Add(count / Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    public static double Of(IReadOnlyCollection<double> values) => Quantile(values, 0.5);

    public static double Quantile(IReadOnlyCollection<double> values, double share) =>
        values.Order().ElementAt(Math.Min(values.Count - 1, (int)(share * values.Count)));

    /// <summary>Median (minimum..maximum).</summary>
    public override string ToString() => $"{Median:0.0} ({_values.Min():0.0}..{_values.Max():0.0})";
}
