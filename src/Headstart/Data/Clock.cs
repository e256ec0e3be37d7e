namespace Headstart.Data;

public static class Clock
{
    /// <summary>Now in UTC, truncated to the microseconds of <c>timestamptz</c>, so that responses equal what is stored.</summary>
    public static DateTime Now(this TimeProvider clock)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
