using System.Collections.Concurrent;
using Headstart.Data;
using Headstart.Tests.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Headstart.Tests.Jobs;

public sealed class LostJobTests(LostJobTests.Host host) : IClassFixture<LostJobTests.Host>
{
    [Fact]
    public async Task A_run_that_is_cancelled_while_it_publishes_makes_no_version_and_is_not_logged_as_a_crash()
    {
        using var log = new Listener();
        host.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        var model = await host.Client.PetsAsync(3);
        var id = Guid.Parse(model.Split('/')[^1]);
        await using var db = await host.Services.GetRequiredService<IDbContextFactory<HeadstartDb>>().CreateDbContextAsync(Api.Cancel);
        await using (await db.Database.BeginTransactionAsync(Api.Cancel))
        {
            await db.Database.ExecuteSqlAsync($"SELECT FROM models WHERE id = {id} FOR KEY SHARE", Api.Cancel);
            var run = await host.Client.StartRunAsync(model);
            for (var looks = 0; await PublishingAsync() == 0; looks++)
            {
                Assert.True(looks < 6_000, "The run does not reach its publication.");
                await Task.Delay(10, Api.Cancel);
            }

            await host.Client.PostAsync($"{model}/training-runs/{run["id"]}/cancel", new { });
        }

        for (var looks = 0; log.Lines.IsEmpty; looks++)
        {
            Assert.True(looks < 1_200, "The worker says nothing about the cancelled run.");
            await Task.Delay(50, Api.Cancel);
        }

        Assert.Contains("was cancelled or taken over by another worker", Assert.Single(log.Lines), StringComparison.Ordinal);
        Assert.Empty((await host.Client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray());
    }

    /// <summary>The workers that wait for the lock on their model.</summary>
    private Task<int> PublishingAsync() => host.QueryAsync(db => db.Database.SqlQuery<int>($"""
        SELECT count(*)::int AS "Value" FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'
        """).SingleAsync(Api.Cancel));

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Logging:LogLevel:Headstart.Jobs.JobRunner", "Information"), ("Logging:Console:LogLevel:Default", "None")];
    }

    /// <summary>What is logged about running jobs.</summary>
    private sealed class Listener : ILoggerProvider, ILogger
    {
        private static readonly Listener Deaf = new();

        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => categoryName == "Headstart.Jobs.JobRunner" ? this : Deaf;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => this != Deaf;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter) => Lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
