using System.Data.Common;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Postgres;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Headstart.Tests.Uploads.Imports;

/// <summary>A database that commits, but whose answer does not arrive.</summary>
public sealed class LostAnswerTests(LostAnswerTests.Host host) : IClassFixture<LostAnswerTests.Host>
{
    [Fact]
    public async Task Files_whose_commit_was_not_answered_are_counted_once_and_none_after_them_is_left_out()
    {
        var model = await host.Client.NewModelAsync();
        using var log = LogListener.To<JobRunner>(host);
        var archive = Batches.Zip(Enumerable.Range(0, 130).Select(i => ($"cats/{i}.png", Pictures.Tiny(i))));

        var import = await host.Client.StartImportAsync(model, Batches.Archive(archive), "?async=true");
        await log.HearsAsync("was interrupted");
        await host.QueryAsync(db => db.Database.ExecuteSqlAsync($"UPDATE imports SET lease_until = 'epoch'", Api.Cancel));
        var ended = await host.Client.EndOfImportAsync(model, import);

        Assert.Equal(("succeeded", 130, 130, 0),
            ((string?)ended["state"], (int)ended["done"]!, (int)ended["accepted"]!, (int)ended["alreadyThere"]!));
        Assert.Equal(130, await host.Client.CountAsync(model));
    }

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        protected override void Configure(IWebHostBuilder web)
        {
            var lost = new LostAnswer();
            web.ConfigureServices(services => services.ConfigureDbContext<HeadstartDb>(options => options.AddInterceptors(lost)));
        }
    }

    /// <summary>Loses the answer to the first commit that advances the mark of an import.</summary>
    private sealed class LostAnswer : IDbCommandInterceptor, IDbTransactionInterceptor
    {
        private DbContext? _writes;
        private bool _lost;

        public ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result,
            CancellationToken cancellationToken = default)
        {
            _writes ??= command.CommandText.Contains("UPDATE imports SET done", StringComparison.Ordinal) ? eventData.Context : null;
            return new(result);
        }

        public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData,
            CancellationToken cancellationToken = default)
        {
            if (_lost || _writes is null || eventData.Context != _writes)
            {
                return Task.CompletedTask;
            }

            _lost = true;
            throw new NpgsqlException("The answer is lost.");
        }
    }
}
