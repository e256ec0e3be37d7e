using Headstart.Configuration;
using Headstart.Errors;
using Headstart.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Headstart.Tests.Postgres;

public sealed class PostgresBinariesTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public async Task Without_binaries_and_without_downloads_the_refusal_says_what_to_do() => Assert.Equal(
        "PostgreSQL 13 or newer was not found; install PostgreSQL (on Debian and Ubuntu the package is postgresql), " +
        "set Headstart:Postgres:BinariesDirectory to the folder with its programs, " +
        "or set ConnectionStrings:Headstart to a running database.",
        await RefusalAsync(new LocalPostgresOptions { Download = false }));

    [Fact]
    public async Task A_failing_download_says_why_and_what_to_do()
    {
        var refusal = await RefusalAsync(new LocalPostgresOptions { DownloadFrom = new Uri("http://127.0.0.1:9/maven") });
        Assert.StartsWith("PostgreSQL 13 or newer was not found, and the download failed (", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", refusal, StringComparison.Ordinal);
        Assert.EndsWith("or set ConnectionStrings:Headstart to a running database.", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configured_folder_without_PostgreSQL_is_named_and_nothing_else_is_tried() => Assert.StartsWith(
        $"PostgreSQL 13 or newer was not found in '{_temporary.Path}' (Headstart:Postgres:BinariesDirectory); install",
        await RefusalAsync(new LocalPostgresOptions { BinariesDirectory = _temporary.Path }), StringComparison.Ordinal);

    [Fact]
    public async Task A_cluster_of_another_version_is_not_touched_by_this_one()
    {
        var refusal = await RefusalAsync(new LocalPostgresOptions { Download = false }, PostgresBinaries.UsualPlaces(), clusterMajor: 99);
        Assert.Matches(@"^PostgreSQL 99, which created the local database, was not found, only [\d, ]+; install PostgreSQL 99 ", refusal);
    }

    [Fact]
    public async Task An_installed_PostgreSQL_is_found_in_its_usual_place()
    {
        var found = await FindAsync(new LocalPostgresOptions { Download = false }, PostgresBinaries.UsualPlaces(), null);
        Assert.True(found.Major >= 13);
        Assert.True(File.Exists(found.Initdb));
        Assert.True(File.Exists(found.PgCtl));
    }

    private async Task<string> RefusalAsync(LocalPostgresOptions options, IEnumerable<string>? places = null, int? clusterMajor = null) =>
        (await Assert.ThrowsAsync<StartupException>(() => FindAsync(options, places ?? [], clusterMajor))).Message;

    private Task<PostgresBinaries> FindAsync(LocalPostgresOptions options, IEnumerable<string> places, int? clusterMajor) =>
        PostgresBinaries.FindAsync(
            options, places, _temporary.Below("binaries"), clusterMajor, PostgresAccount.Current(), NullLogger.Instance,
            TestContext.Current.CancellationToken);
}
