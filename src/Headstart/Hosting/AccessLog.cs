using System.Globalization;
using System.Security.Claims;
using System.Text;
using Headstart.Access;

namespace Headstart.Hosting;

/// <summary>Logs one line per request, with structured fields. Headers and query are left out because people put keys there.</summary>
internal sealed class AccessLog(RequestDelegate next, ILogger<AccessLog> log, TimeProvider clock)
{
    private static readonly CompositeFormat Format =
        CompositeFormat.Parse("{0} {1} {2} in {3:0.0} ms, received {4}, sent {5}, account {6}, request {7}");

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

    // PathString prints the path with escaped line breaks, so that clients cannot forge log lines.
    private void Write(HttpContext context, double milliseconds)
    {
        var (request, response) = (context.Request, context.Response);
        var account = context.User.FindFirstValue(Caller.AccountClaim);
        KeyValuePair<string, object?>[] line =
        [
            new("Method", request.Method), new("Path", request.Path), new("Status", response.StatusCode), new("Milliseconds", milliseconds),
            new("BytesReceived", request.ContentLength), new("BytesSent", response.ContentLength), new("Account", account),
            new("RequestId", context.TraceIdentifier),
        ];
        log.Log(LogLevel.Information, default, line, null, static (said, _) =>
            string.Format(CultureInfo.InvariantCulture, Format, said.Select(part => part.Value ?? "(null)").ToArray()));
    }
}
