using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests;

/// <summary>A model that the test has locked, so that what the host does to it comes to a halt at a known place.</summary>
internal sealed class HeldRow : IAsyncDisposable
{
    private readonly TestHost _host;
    private readonly HeadstartDb _db;
    private readonly IDbContextTransaction _transaction;

    private HeldRow(TestHost host, HeadstartDb db, IDbContextTransaction transaction) =>
        (_host, _db, _transaction) = (host, db, transaction);

    /// <param name="host">Its database.</param>
    /// <param name="sql">Locks the row.</param>
    public static async Task<HeldRow> TakeAsync(TestHost host, FormattableString sql)
    {
        var db = await host.Services.GetRequiredService<IDbContextFactory<HeadstartDb>>().CreateDbContextAsync(Api.Cancel);
        var transaction = await db.Database.BeginTransactionAsync(Api.Cancel);
        await db.Database.ExecuteSqlAsync(sql, Api.Cancel);
        return new(host, db, transaction);
    }

    /// <summary>Until so many sessions wait for a lock.</summary>
    public async Task WaitersAsync(int sessions)
    {
        for (var looks = 0; await CountAsync() < sessions; looks++)
        {
            Assert.True(looks < 6_000, "Nobody waits for the lock.");
            await Task.Delay(10, Api.Cancel);
        }
    }

    public Task ReleaseAsync() => _transaction.CommitAsync(Api.Cancel);

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _db.DisposeAsync();
    }

    private Task<int> CountAsync() => _host.QueryAsync(db => db.Database.SqlQuery<int>($"""
        SELECT count(*)::int AS "Value" FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
        """).SingleAsync(Api.Cancel));
}
