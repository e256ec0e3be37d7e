using System.Collections.Concurrent;
using System.Text;
using Headstart.Tests.Access;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Headstart.Tests.Uploads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Headstart.Tests.Hosting;

public sealed class LoggedSecretsTests(LoggedSecretsTests.TalkativeHost host) : IClassFixture<LoggedSecretsTests.TalkativeHost>
{
    [Fact]
    public async Task No_key_is_ever_logged_whatever_happens_to_it()
    {
        using var log = new Listener();
        host.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes(TestHost.Key + ":"));

        var (id, secret) = await host.NewKeyAsync(admin: true);
        using var client = host.ClientWith(secret);
        var model = await client.NewModelAsync("cats");
        await client.AddAsync(model, "cats", Pictures.Jpeg(1));
        await client.GetAsync("/api/v1/models?limit=x", Api.Cancel);
        await client.GetAsync("/api/v1/keys", Api.Cancel);
        await host.ClientWith("a-wrong-key-of-someone").GetAsync("/api/v1/models", Api.Cancel);
        using var browser = host.ClientWith(null);
        browser.DefaultRequestHeaders.Authorization = new("Basic", basic);
        await browser.GetAsync("/hangfire", Api.Cancel);
        await host.Client.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{id}");
        await client.GetAsync("/api/v1/models", Api.Cancel);

        var lines = log.Lines.ToArray();
        Assert.Contains(lines, l => l.Contains(model, StringComparison.Ordinal)); // it does listen
        foreach (var key in new[] { TestHost.Key, secret, basic, "a-wrong-key-of-someone" })
        {
            Assert.DoesNotContain(lines, l => l.Contains(key, StringComparison.Ordinal));
        }
    }

    public sealed class TalkativeHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
        [
            .. base.Settings,
            ("Headstart:Dashboard", "true"),
            ("Logging:LogLevel:Default", "Debug"),
            ("Logging:LogLevel:Microsoft", "Debug"),
            ("Logging:LogLevel:Microsoft.EntityFrameworkCore", "Debug"),
            ("Logging:LogLevel:Microsoft.AspNetCore.DataProtection", "Debug"),
            ("Logging:LogLevel:Hangfire", "Debug"),
            ("Logging:Console:LogLevel:Default", "None"),
        ];
    }

    private sealed class Listener : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            Lines.Enqueue(state.ToString() ?? "");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
