using System.Data.Common;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Headstart.Errors;

/// <summary>
/// Turns exceptions of handlers into problems. Refusals are return values, so an exception means an unreadable request, a lost dependency
/// (database, blob store, disk), or a bug.
/// </summary>
public sealed partial class ExceptionProblems(ILogger<ExceptionProblems> log) : IExceptionHandler
{
    /// <summary>Type of the problem while the blob store is unavailable.</summary>
    public const string BlobStoreAway = "blob-store-unavailable";

    private const int OutOfSpace = 28; // ENOSPC on Linux and macOS
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancel)
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        await context.AnswerAsync(Explain(context, exception, log));
        return true;
    }

    /// <summary>The problem to answer with; logs failures of this host.</summary>
    internal static ProblemHttpResult Explain(HttpContext context, Exception exception, ILogger<ExceptionProblems> log)
    {
        if (exception is RefusedException refused)
        {
            return refused.Problem;
        }

        var (status, type, detail) = Describe(exception);
        if (status >= 500)
        {
            Log.Failed(log, context.Request.Method, context.Request.Path, type, exception);
        }

        if (status is StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "5";
        }

        return Problems.Of(status, type, detail, ("traceId", context.TraceIdentifier));
    }

    /// <summary>Searches the inner exceptions, because EF Core and Hangfire wrap those of the driver.</summary>
    public static (int Status, string Type, string Detail) Describe(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case RefusedException { Problem: { StatusCode: var status, ProblemDetails: var refused } }:
                    return (status, refused.Type!, refused.Detail!);
                case BadHttpRequestException bad:
                    return UnreadableRequests.Describe(bad);
                case PostgresException { SqlState: PostgresErrorCodes.DiskFull }:
                case IOException { HResult: OutOfSpace or WindowsDiskFull }:
                    return (StatusCodes.Status507InsufficientStorage, "storage-full",
                        "The disk is full. Data stored earlier is safe; free some disk space and send the request again.");
                case PostgresException
                {
                    SqlState: PostgresErrorCodes.UntranslatableCharacter
                    or PostgresErrorCodes.CharacterNotInRepertoire
                }:
                    return (StatusCodes.Status400BadRequest, "bad-request", "A text contains a character that cannot be stored (U+0000).");
                case BlobStoreUnavailableException:
                    return (StatusCodes.Status503ServiceUnavailable, BlobStoreAway,
                        "The blob store is not responding. No data is lost; try again in a few seconds.");
                case DbException db when IsConnectionLoss(db):
                    return (StatusCodes.Status503ServiceUnavailable, "database-unavailable",
                        "The database is not responding. No data is lost; try again in a few seconds.");
            }
        }

        return (StatusCodes.Status500InternalServerError, "internal-error",
            "An unexpected error occurred on the host; its log has the details under this trace id.");
    }

    private static bool IsConnectionLoss(DbException e) => e switch
    {
        // IsTransient includes deadlock victims, but not 25P03, a transaction that was idle for too long.
        PostgresException p => p.IsTransient || p.SqlState.StartsWith("08", StringComparison.Ordinal)
            || p.SqlState.StartsWith("57P", StringComparison.Ordinal)
            || p.SqlState is PostgresErrorCodes.TooManyConnections or "25P03",
        NpgsqlException => true,
        _ => e.IsTransient,
    };

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed: {Type}")]
        public static partial void Failed(ILogger log, string method, string path, string type, Exception exception);
    }
}
