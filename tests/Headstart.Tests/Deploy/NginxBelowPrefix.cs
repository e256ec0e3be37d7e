using System.Text.RegularExpressions;

namespace Headstart.Tests.Deploy;

/// <summary>nginx with the very sample of docs/operating.md, which serves a host below <c>/headstart/</c> and nothing beside it.</summary>
internal static partial class NginxBelowPrefix
{
    private const string PassedOn = "proxy_pass http://127.0.0.1:8080;";

    /// <param name="host">What it stands before.</param>
    /// <param name="cuts">Whether it cuts the prefix off.</param>
    /// <param name="says">Whether it says the prefix in a header.</param>
    public static Task<Nginx> StartAsync(Uri host, bool cuts, bool says = false)
    {
        var sample = Sample().Match(File.ReadAllText(Repository.PathOf("docs", "operating.md")));
        Assert.Contains(PassedOn, sample.Groups["location"].Value, StringComparison.Ordinal);
        var location = sample.Groups["location"].Value.Replace(PassedOn, $"proxy_pass http://web-1:8080{(cuts ? "/" : "")};",
            StringComparison.Ordinal)
            .Replace("X-Forwarded-Prefix \"\"", says ? "X-Forwarded-Prefix /headstart" : "X-Forwarded-Prefix \"\"",
                StringComparison.Ordinal);
        return Nginx.StartAsync(Nginx.Configuration($$"""
            {{sample.Groups["map"].Value}}
            server {
                listen 8080;
                {{location}}
                location / { return 404 "nothing here"; }
            }
            """), host, host);
    }

    [GeneratedRegex(@"```nginx\n# in http \{ \}\n(?<map>.+?)# in server \{ \}\n(?<location>location /headstart/ .+?)```",
        RegexOptions.Singleline)]
    private static partial Regex Sample();
}
