namespace Headstart.Backbones;

/// <summary>Checks every five minutes whether an 8-bit form can be made.</summary>
public sealed partial class EightBitMaking(EightBitForms forms, TimeProvider clock, ILogger<EightBitMaking> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        while (forms.IsOn && !stopping.IsCancellationRequested)
        {
            await Task.Delay(Period, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await forms.MakeMissingAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Probably a database that is down: the next check tries again.
                Log.Later(log, e.GetBaseException().Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot make 8-bit backbones; retrying in 5 min: {Reason}")]
        public static partial void Later(ILogger log, string reason);
    }
}
