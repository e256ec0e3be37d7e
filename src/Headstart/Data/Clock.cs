namespace Headstart.Data;

public static class Clock
{
    /// <summary>Now in UTC, cut to the microseconds that <c>timestamptz</c> keeps, so that what is answered is what is stored.</summary>
    public static DateTime Now(this TimeProvider clock)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
