using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Headstart.Metrics;

/// <summary>Names all metrics and traces of Headstart. Prometheus shows <c>headstart.forward.duration</c> as
/// <c>headstart_forward_duration_seconds</c>.</summary>
public sealed class Telemetry : IDisposable
{
    /// <summary>Name of the meter and of the traces.</summary>
    public const string Name = "Headstart";

    // From half a millisecond (a head, a cached image) to the longest wait in the queue.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private readonly ActivitySource _traces = new(Name);
    private readonly Meter _meter;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _features;
    private readonly Counter<long> _heads;
    private readonly Histogram<double> _queue;
    private readonly Histogram<double> _decode;
    private readonly Histogram<double> _forward;
    private readonly Histogram<double> _head;

    /// <param name="meters">The host's own factory, so that several hosts in a process have separate metrics.</param>
    public Telemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _refused = _meter.CreateCounter<long>("headstart.predictions.refused", description: "Predictions refused because no core was "
            + "free, by reason: full, unfair, late, cancelled.");
        _features = _meter.CreateCounter<long>("headstart.features.lookups", description: "Lookups in the feature cache, by backbone and "
            + "result: hit or miss.");
        _heads = _meter.CreateCounter<long>("headstart.heads.lookups", description: "Lookups in the head cache, by result: hit or miss.");
        _queue = Duration("headstart.queue.duration", "Time that an image waits for a core.");
        _decode = Duration("headstart.decode.duration", "Time to decode an image file.");
        _forward = Duration("headstart.forward.duration", "Time of one image in a backbone, for a prediction.");
        _head = Duration("headstart.head.duration", "Time from features to the prediction.");
    }

    /// <summary>Reads the length of the queue when metrics are collected.</summary>
    public void Watch(Func<(int Count, long Bytes)> waiting)
    {
        _meter.CreateObservableUpDownCounter("headstart.queue.length", () => waiting().Count, description: "Images waiting for a core.");
        _meter.CreateObservableUpDownCounter("headstart.queue.size", () => waiting().Bytes, "By",
            "Bytes of the images waiting for a core.");
    }

    /// <summary>Reads how many jobs wait for workers when metrics are collected.</summary>
    public void WatchBacklog(Func<IEnumerable<Measurement<long>>> entries) =>
        _meter.CreateObservableUpDownCounter("headstart.backlog", entries, description: "Jobs of all hosts, by kind (training, imports, "
            + "searches, batches) and state (queued, running).");

    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Waited(TimeSpan time) => _queue.Record(time.TotalSeconds);

    public void LookedForFeatures(string backbone, bool hit) =>
        _features.Add(1, new("backbone", backbone), new("result", hit ? "hit" : "miss"));

    public void LookedForHead(bool hit) => _heads.Add(1, new KeyValuePair<string, object?>("result", hit ? "hit" : "miss"));

    public Timing Decode() => new(_decode, _traces.StartActivity("decode"));

    public Timing Forward(string backbone) => new(_forward, _traces.StartActivity("forward")?.SetTag("backbone", backbone), backbone);

    public Timing Head() => new(_head, _traces.StartActivity("head"));

    public void Dispose() => _traces.Dispose(); // the factory disposes the meter

    private Histogram<double> Duration(string name, string description) =>
        _meter.CreateHistogram(name, "s", description, tags: null, Seconds);

    /// <summary>Measures until disposed.</summary>
    public readonly struct Timing(Histogram<double> histogram, Activity? trace, string? backbone = null) : IDisposable
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        public void Dispose()
        {
            var seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
            trace?.Dispose();
            if (backbone is null)
            {
                histogram.Record(seconds);
            }
            else
            {
                histogram.Record(seconds, new KeyValuePair<string, object?>("backbone", backbone));
            }
        }
    }
}
