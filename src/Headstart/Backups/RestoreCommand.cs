using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Postgres;
using Npgsql;

namespace Headstart.Backups;

/// <summary>
/// <c>restore FOLDER</c>: fills an empty installation from a backup. It may die anywhere and be repeated: a mark in the data folder names
/// the backup, the database is filled in one transaction, and blobs appear whole or not at all. No host starts while the mark is there.
/// </summary>
public static class RestoreCommand
{
    public static bool Asked(string[] args) => args is ["restore", ..];

    /// <returns>Exit code: 0 if everything was restored; 2 if blobs were already missing when the backup was made, or a backbone cannot be
    /// used.</returns>
    /// <exception cref="StartupException">The restore failed; the message says why.</exception>
    public static async Task<int> RunAsync(string[] args, ConfigurationManager configuration, Settings settings, CancellationToken cancel)
    {
        if (args is not [_, var path, ..] || path.StartsWith("--", StringComparison.Ordinal))
        {
            throw new StartupException("Name the folder of the backup: Headstart restore FOLDER.");
        }

        configuration["Logging:LogLevel:Default"] = "Warning";
        try
        {
            var (folder, backup) = await BackupFolder.ReadAsync(path, cancel);
            await CheckAsync(folder, backup, cancel);
            var own = string.IsNullOrWhiteSpace(configuration.GetConnectionString("Headstart"));
            var mark = new RestoreMark(DataFolder.Resolve(settings.DataDirectory), backup.Database.Sha256);
            var again = mark.Check();
            if (own)
            {
                mark.Set(); // before the database is created: then the data folder is no longer empty
            }

            await using var installation = await Installation.FillAsync(configuration, settings, cancel);
            installation.Database.NeedSession("restore");
            await FillDatabaseAsync(installation, folder.PathOf(backup.Database), settings, mark, again, cancel);
            return await CopyAsync(installation, folder, backup, mark, cancel);
        }
        catch (Exception e) when (BackupCommand.IsOrdinary(e))
        {
            throw new StartupException($"Restoring '{path}' failed: {BackupCommand.Reason(e)}. Fix this and repeat the command.", e);
        }
    }

    /// <summary>Verifies the backup before anything is changed.</summary>
    private static async Task CheckAsync(BackupFolder folder, Backup backup, CancellationToken cancel)
    {
        foreach (var file in backup.Files.Prepend(backup.Database))
        {
            if (!await folder.IsIntactAsync(file, cancel))
            {
                throw new StartupException($"'{folder.PathOf(file)}' is missing or damaged, so nothing was restored; use another copy of "
                    + "the backup.");
            }
        }
    }

    private static async Task FillDatabaseAsync(
        Installation installation, string dump, Settings settings, RestoreMark mark, bool again, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(installation.Database.Unpooled);
        await connection.OpenAsync(cancel);
        await using var tables = new NpgsqlCommand(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> "
            + "'information_schema'", connection);
        var empty = await tables.ExecuteScalarAsync(cancel) is 0L;
        if (!empty && !again)
        {
            throw new StartupException(
                "The database is not empty, so nothing was restored; name an empty one in ConnectionStrings:Headstart.");
        }

        mark.Set();
        if (empty)
        {
            var tools = await PostgresTools.FindAsync(connection, installation.Database, settings.Postgres, cancel);
            await tools.RestoreAsync(dump, cancel);
        }

        // Migrate the schema of an older backup first: the query for references needs the current one.
        await using var services = ServicesOf(installation);
        await Schema.MigrateAsync(services, cancel);
    }

    private static ServiceProvider ServicesOf(Installation installation) => new ServiceCollection().AddSingleton(TimeProvider.System)
        .AddSingleton(installation.Database).AddDatabase().AddSingleton(installation.Stores.Blobs).AddSingleton(installation.Paths)
        .AddSingleton<SharedBackboneStore>().BuildServiceProvider();

    private static async Task<int> CopyAsync(Installation installation, BackupFolder folder, Backup backup, RestoreMark mark,
        CancellationToken cancel)
    {
        await installation.Stores.Blobs.CheckAsync(cancel);
        await using var connection = new NpgsqlConnection(installation.Database.Unpooled);
        await connection.OpenAsync(cancel);
        var references = new BlobReferences(folder.Blobs);
        var (blobs, imports) = (await references.AllAsync(connection, BlobReferences.ToBlobs, cancel),
            await references.AllAsync(connection, BlobReferences.ToImports, cancel));
        var copied = await BackupCommand.CopyAsync(folder.Blobs, installation.Stores.Blobs, blobs, cancel);
        var bodies = await BackupCommand.CopyAsync(folder.Imports, installation.Stores.Imports, imports, cancel);
        if (copied.Missing.Concat(bodies.Missing).Except(backup.Missing).ToList() is { Count: > 0 } lost)
        {
            throw new StartupException($"{lost.Count} blobs are missing or damaged in the backup, for example {lost[0]}; replace them "
                + "from another copy of the backup and repeat the command.");
        }

        // A database of its own is behind the mark, and moving its backbones to the data folder lets go of some blobs.
        if (!installation.Database.IsOwn && blobs.Count < backup.Blobs)
        {
            throw new StartupException("The database does not hold what the backup holds: an earlier attempt failed before it was filled, "
                + "and another host has used it since. Repeat the command with an empty data folder, and name an empty database in "
                + "ConnectionStrings:Headstart.");
        }

        foreach (var file in backup.Files)
        {
            await BackupFolder.CopyAsync(folder.PathOf(file), Path.Combine([installation.Paths.Root, .. file.Path.Split('/')]), cancel);
        }

        var problems = await MoveBackbonesAsync(installation, cancel);
        mark.Remove();
        Console.WriteLine($"Restored the backup of {backup.At:u}: the database, {blobs.Count + imports.Count - backup.Missing.Count} "
            + $"blobs and {backup.Files.Count} other files.");
        foreach (var problem in problems)
        {
            await Console.Error.WriteLineAsync(problem);
        }

        return Math.Max(BackupCommand.Told(backup.Missing), problems.Count > 0 ? 2 : 0);
    }

    /// <summary>Backbones belong to the data folder of a host with its own database, and to the blob store where hosts share one: takes
    /// them to where the restored hosts look for them.</summary>
    /// <returns>A sentence about each that cannot be used.</returns>
    private static async Task<IReadOnlyList<string>> MoveBackbonesAsync(Installation installation, CancellationToken cancel)
    {
        await using var services = ServicesOf(installation);
        var shared = services.GetRequiredService<SharedBackboneStore>();
        if (shared.IsAlone)
        {
            return await shared.MoveToDataFolderAsync(cancel);
        }

        var folder = installation.Paths.RegisteredBackbones;
        var (found, problems) = Directory.Exists(folder) ? BackboneFolders.Find([folder]) : ([], []);
        await shared.GiveAllAsync(found.Select(file => file.Manifest), cancel);
        return problems;
    }
}
