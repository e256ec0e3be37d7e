using System.Runtime.InteropServices;

namespace Headstart.Hosting;

/// <summary>
/// Ctrl-C and SIGTERM while the host is still starting, so that what was started until then is stopped again. It goes on listening when the
/// host does so too: there must be no moment at which nobody does.
/// </summary>
public sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new(); // not disposed: a signal may still be on its way
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
