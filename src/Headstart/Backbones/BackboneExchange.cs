using Headstart.Data;

namespace Headstart.Backbones;

/// <summary>Exchanges backbones with other hosts through <see cref="SharedBackbones"/>: at start, when notified, and every half
/// minute.</summary>
public sealed partial class BackboneExchange : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    private readonly SharedBackbones _shared;
    private readonly ILogger<BackboneExchange> _log;
    private readonly SemaphoreSlim _news = new(0, 1);

    public BackboneExchange(SharedBackbones shared, Announcements announcements, ILogger<BackboneExchange> log)
    {
        (_shared, _log) = (shared, log);
        announcements.Listen(Announcement.Backbones, Wake);
    }

    /// <summary>Triggers an exchange.</summary>
    public void Wake() => _news.Wake();

    /// <summary>Runs before the host accepts requests, so that it has what the others have.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ExchangeAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _news.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        while (!_shared.IsAlone && !stopping.IsCancellationRequested)
        {
            await _news.WaitAsync(Period, stopping);
            await ExchangeAsync(stopping);
        }
    }

    private async Task ExchangeAsync(CancellationToken cancel)
    {
        try
        {
            await _shared.ExchangeAsync(cancel);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            Log.Failed(_log, e.GetBaseException().Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot share backbones with other hosts; retrying: {Reason}")]
        public static partial void Failed(ILogger log, string reason);
    }
}
