using System.Collections.Concurrent;
using Headstart.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Headstart.Data;

/// <summary>What hosts tell each other: which cached data has changed.</summary>
public enum Announcement
{
    Keys,
    Versions,
    Shards,
    Backbones,
}

/// <summary>
/// Tells all hosts on a database about changes within milliseconds, with PostgreSQL's LISTEN and NOTIFY. Changes missed while the
/// connection is lost are also found by polling, and when it is back every listener is called for every kind of change. Caches that live
/// until the next notification ask <see cref="HasHeard"/>. Behind a pooler in transaction mode only polling works.
/// </summary>
public sealed partial class Announcements(DatabaseAddress database, TimeProvider clock, ILogger<Announcements> log) : BackgroundService
{
    private const string Channel = "headstart";
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(400); // then the connection is tested again

    private readonly ConcurrentQueue<(Announcement Of, Action Heard)> _listeners = new();
    private long _proven; // when the last answered test was sent; 0 without a connection

    /// <summary>Notifies all hosts including this one: at once, or inside a transaction when it commits.</summary>
    public static Task SayAsync(HeadstartDb db, Announcement what, CancellationToken cancel)
    {
        return db.Database.ExecuteSqlAsync($"SELECT pg_notify({Channel}, {what.ToString()})", cancel);
    }

    /// <param name="what">The change to listen for.</param>
    /// <param name="heard">Called from another thread, and also when something may have been missed; must be quick and must not
    /// throw.</param>
    public void Listen(Announcement what, Action heard) => _listeners.Enqueue((what, heard));

    /// <summary>Whether listeners have been told of all changes announced by any host up to this long ago.</summary>
    public bool HasHeard(TimeSpan ago) => Volatile.Read(ref _proven) is not 0 and var proven && clock.GetElapsedTime(proven) < ago;

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        if (database.Sessions == Sessions.PerTransaction)
        {
            Log.Deaf(log);
            return;
        }

        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await HearAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
            {
                Log.Lost(log, e.Message);
            }
            finally
            {
                Volatile.Write(ref _proven, 0);
            }

            await Task.Delay(Again, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task HearAsync(CancellationToken stopping)
    {
        // Not pooled: another caller would get a connection that still listens.
        await using var connection = new NpgsqlConnection(database.Unpooled);
        connection.Notification += (_, heard) => Tell(Enum.TryParse<Announcement>(heard.Payload, out var what) ? what : null);
        await connection.OpenAsync(stopping);
        var asked = clock.GetTimestamp();
        await ListenAsync(connection, stopping);
        foreach (var what in Enum.GetValues<Announcement>())
        {
            Tell(what);
        }

        Volatile.Write(ref _proven, asked);
        while (true)
        {
            if (!await connection.WaitAsync(Quiet, stopping) || clock.GetElapsedTime(asked) > Quiet)
            {
                // Notifications sent earlier arrive before the answer.
                asked = clock.GetTimestamp();
                await ListenAsync(connection, stopping);
                Volatile.Write(ref _proven, asked);
            }
        }
    }

    private static async Task ListenAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"LISTEN {Channel}", connection); // repeating it changes nothing
        await command.ExecuteNonQueryAsync(cancel);
    }

    private void Tell(Announcement? what)
    {
        foreach (var (of, heard) in _listeners)
        {
            if (of == what)
            {
                heard();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "LISTEN connection lost; polling instead: {Reason}")]
        public static partial void Lost(ILogger log, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The database is behind a pooler in transaction mode, so LISTEN does not work "
            + "and this host polls instead: versions every 1 s, API keys every 2 s, shared work every 3 s, backbones every 30 s. Backup "
            + "and restore need a direct connection to PostgreSQL.")]
        public static partial void Deaf(ILogger log);
    }
}
