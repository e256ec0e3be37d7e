using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Headstart.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Metrics;

/// <summary>How often each measurement of one host was taken; those of other hosts in this process do not count.</summary>
internal sealed class Measured : IDisposable
{
    private readonly ConcurrentDictionary<string, long> _counts = new();
    private readonly MeterListener _listener = new();

    public Measured(TestHost host)
    {
        var factory = host.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Telemetry.Name && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => _counts.AddOrUpdate(instrument.Name, 1, (_, n) => n + 1));
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
            _counts.AddOrUpdate(instrument.Name, value, (_, n) => n + value));
        _listener.Start();
    }

    public long Count(string name) => _counts.GetValueOrDefault(name);

    public void Dispose() => _listener.Dispose();
}
