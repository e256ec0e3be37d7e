using System.Globalization;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>
/// Connects to an external database, for the host and for every command: waits until it responds, checks whether Headstart can use it,
/// and detects poolers. Changes nothing in it.
/// </summary>
public static partial class DatabaseConnector
{
    private const string Channel = "headstart_echo";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30); // a server that starts together with us may be slower
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Echo = TimeSpan.FromSeconds(3);

    /// <param name="text">The value of <c>ConnectionStrings:Headstart</c>.</param>
    /// <param name="log">Logs that it waits.</param>
    /// <exception cref="StartupException">It cannot be parsed, does not answer within half a minute, or lacks what Headstart
    /// needs.</exception>
    public static async Task<DatabaseAddress> ReachAsync(string text, ILogger log, CancellationToken cancel)
    {
        var address = DatabaseAddress.Parse(text);
        await using var connection = new NpgsqlConnection(address.Unpooled);
        await OpenAsync(connection, address, log, cancel);
        try
        {
            var facts = await ServerFacts.AskAsync(connection, cancel);
            return facts.Refusal() is { } sentence ? throw new StartupException(sentence)
                : address with { Sessions = await SessionsAsync(connection, facts, address, cancel) };
        }
        catch (NpgsqlException e)
        {
            throw new StartupException(DatabaseProblems.Describe(e)!, e);
        }
    }

    private static async Task OpenAsync(NpgsqlConnection connection, DatabaseAddress address, ILogger log, CancellationToken cancel)
    {
        for (var (started, told) = (TimeProvider.System.GetTimestamp(), false); ;)
        {
            try
            {
                await connection.OpenAsync(cancel);
                return;
            }
            catch (Exception e) when (DatabaseProblems.Describe(e, address) is { } sentence)
            {
                if (!DatabaseProblems.IsTransient(e) || TimeProvider.System.GetElapsedTime(started) > StartTimeout)
                {
                    throw new StartupException(sentence, e);
                }

                if (!told)
                {
                    Log.Waiting(log, address.ToString(), e.GetBaseException().Message);
                    told = true;
                }

                await Task.Delay(PollInterval, cancel);
            }
        }
    }

    /// <summary>
    /// A pooler invents process ids. Notifications belong to a session: if this connection receives one that another connection sends, the
    /// pooler lends sessions for longer than a transaction.
    /// </summary>
    private static async Task<Sessions> SessionsAsync(NpgsqlConnection connection, ServerFacts facts, DatabaseAddress address,
        CancellationToken cancel)
    {
        if (connection.ProcessID == facts.Backend)
        {
            return Sessions.Own;
        }

        var token = Guid.CreateVersion7().ToString("n", CultureInfo.InvariantCulture);
        var heard = false;
        connection.Notification += (_, news) => heard |= news.Payload == token;
        await ExecuteAsync(connection, $"LISTEN {Channel}", cancel);
        await using (var other = new NpgsqlConnection(address.Unpooled))
        {
            await other.OpenAsync(cancel);
            await ExecuteAsync(other, $"NOTIFY {Channel}, '{token}'", cancel);
        }

        for (var started = TimeProvider.System.GetTimestamp(); !heard && TimeProvider.System.GetElapsedTime(started) is var waited
            && waited < Echo;)
        {
            await connection.WaitAsync((int)Math.Ceiling((Echo - waited).TotalMilliseconds), cancel); // never 0, which would wait forever
        }

        await ExecuteAsync(connection, $"UNLISTEN {Channel}", cancel);
        return heard ? Sessions.Lent : Sessions.PerTransaction;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The database at {Address} is not responding yet; retrying for 30 s: {Reason}")]
        public static partial void Waiting(ILogger log, string address, string reason);
    }
}
