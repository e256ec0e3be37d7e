using System.Security.Claims;
using Headstart.Access;

namespace Headstart.Hosting;

/// <summary>
/// A line for every request, with names for programs that read logs. Neither headers nor query are in it: that is where people put keys.
/// </summary>
internal sealed class AccessLog(RequestDelegate next, ILogger<AccessLog> log, TimeProvider clock)
{
    private const string Line = "{Method} {Path} {Status} in {Milliseconds:0.0} ms, received {BytesReceived}, sent {BytesSent}, account "
        + "{Account}, request {RequestId}";

    public async Task InvokeAsync(HttpContext context)
    {
        var start = clock.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            if (log.IsEnabled(LogLevel.Information))
            {
                Write(context, clock.GetElapsedTime(start).TotalMilliseconds);
            }
        }
    }

    // The path as PathString prints it: line breaks are escaped, so that clients cannot forge log lines.
    private void Write(HttpContext context, double milliseconds)
    {
        var (request, response) = (context.Request, context.Response);
        var account = context.User.FindFirstValue(Caller.AccountClaim);
        log.LogInformation(Line, request.Method, request.Path, response.StatusCode, milliseconds, request.ContentLength,
            response.ContentLength, account, context.TraceIdentifier);
    }
}
