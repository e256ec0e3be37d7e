using System.Collections.Concurrent;
using System.Net;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Headstart.Tests.Hosting;

public sealed class AccessLogTests(AccessLogTests.LoggingHost host) : IClassFixture<AccessLogTests.LoggingHost>
{
    [Fact]
    public async Task Every_request_is_a_line_with_what_is_needed_and_without_what_is_secret()
    {
        using var log = new Lines();
        host.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);

        await host.Client.GetAsync("/api/v1/models?named=in-the-query", Api.Cancel);
        await host.ClientWith("a-wrong-key").GetAsync("/api/v1/mod%0Aels", Api.Cancel);
        while (log.Written.Count < 2)
        {
            await Task.Delay(5, Api.Cancel); // written after the answer was sent
        }

        var lines = log.Written.ToArray();
        var answered = lines.Single(line => (string?)line["Path"] == "/api/v1/models");
        Assert.Equal(("GET", "200"), (answered["Method"], answered["Status"]));
        Assert.True(Guid.TryParse(answered["Account"], out _));
        Assert.NotEmpty(answered["RequestId"]!);
        Assert.Equal(["404"], lines.Where(line => line["Path"]!.Contains("mod%0Aels", StringComparison.Ordinal))
            .Select(line => line["Status"]));
        Assert.DoesNotContain(lines.SelectMany(line => line.Values), value =>
            value is not null && (value.Contains(TestHost.Key, StringComparison.Ordinal)
                || value.Contains("in-the-query", StringComparison.Ordinal) || value.Contains("a-wrong-key", StringComparison.Ordinal)));
    }

    public sealed class LoggingHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:AccessLog", "true"), ("Logging:LogLevel:Headstart.Hosting.AccessLog", "Information")];
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<Dictionary<string, string?>> Written { get; } = [];

        public ILogger CreateLogger(string categoryName) =>
            categoryName == "Headstart.Hosting.AccessLog" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter) =>
            Written.Enqueue(((IEnumerable<KeyValuePair<string, object?>>)state!).Append(new("line", formatter(state, exception)))
                .ToDictionary(p => p.Key, p => p.Value?.ToString()));

        public void Dispose()
        {
        }
    }
}
