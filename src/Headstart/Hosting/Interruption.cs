using System.Runtime.InteropServices;

namespace Headstart.Hosting;

/// <summary>
/// Handles Ctrl-C and SIGTERM while the host is starting, so that everything started so far is stopped. It keeps listening after the host
/// does, so that no signal is missed in between.
/// </summary>
public sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new(); // not disposed: a signal may still arrive
    private readonly PosixSignalRegistration[] _signals;

    public Interruption() => _signals = [Catch(PosixSignal.SIGINT), Catch(PosixSignal.SIGTERM)];

    public CancellationToken Token => _source.Token;

    public bool Requested { get; private set; }

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    private PosixSignalRegistration Catch(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Requested = true;
        _source.Cancel();
    });
}
