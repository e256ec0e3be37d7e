using System.ComponentModel;
using System.Data;
using System.Security.Cryptography;
using System.Text.Json;
using Headstart.Blobs;
using Headstart.Learning.Heads;
using Headstart.Postgres;
using Npgsql;

namespace Headstart.Backups;

/// <summary>
/// <c>backup FOLDER</c>: copies an installation while it runs. First it dumps the database as one snapshot, then it copies the blobs that
/// this snapshot refers to: they were stored before their rows were committed, and nothing is deleted meanwhile (<see cref="BlobLock"/>).
/// </summary>
public static class BackupCommand
{
    private const int AtOnce = 8;

    public static bool Asked(string[] args) => args is ["backup", ..];

    /// <returns>Exit code: 0 if the backup is complete; 2 if it is, except for blobs that were already missing in the store.</returns>
    /// <exception cref="StartupException">No backup was made; the message says why.</exception>
    public static async Task<int> RunAsync(string[] args, ConfigurationManager configuration, Settings settings, CancellationToken cancel)
    {
        if (args is not [_, var path, ..] || path.StartsWith("--", StringComparison.Ordinal))
        {
            throw new StartupException("Name the folder for the backup: Headstart backup FOLDER.");
        }

        configuration["Logging:LogLevel:Default"] = "Warning";
        try
        {
            using var folder = BackupFolder.Make(path);
            await using var installation = await Installation.ReachAsync(configuration, settings, cancel);
            return await BackUpAsync(installation, folder, settings, cancel);
        }
        catch (Exception e) when (IsOrdinary(e))
        {
            throw new StartupException($"The backup to '{path}' failed: {Reason(e)}.", e);
        }
    }

    /// <summary>Whether a failure comes from the environment (disk, network, database) and is not a bug.</summary>
    internal static bool IsOrdinary(Exception e) =>
        e is IOException or UnauthorizedAccessException or NpgsqlException or BlobStoreUnavailableException
        or HeadArtifactException or JsonException or Win32Exception;

    internal static string Reason(Exception e) => (DatabaseProblems.Describe(e) ?? e.GetBaseException().Message).TrimEnd('.');

    private static async Task<int> BackUpAsync(Installation installation, BackupFolder folder, Settings settings, CancellationToken cancel)
    {
        installation.Database.NeedSession("backup");
        // If the connection is lost meanwhile, a collector may set blobs aside; there they can still be read.
        await using var keep = await BlobLock.KeepAsync(installation.Database, cancel);
        await using var snapshot = await keep.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
        var (name, at) = await ExportAsync(keep.Connection, cancel);
        var tools = await PostgresTools.FindAsync(keep.Connection, installation.Database, settings.Postgres, cancel);

        var dump = folder.NewDump();
        await tools.DumpAsync(name, dump, cancel);
        var database = await BackupFolder.DescribeAsync(dump, Path.GetFileName(dump), cancel);

        var references = new BlobReferences(installation.Stores.Blobs);
        var (blobs, imports) = (await references.AllAsync(keep.Connection, BlobReferences.ToBlobs, cancel),
            await references.AllAsync(keep.Connection, BlobReferences.ToImports, cancel));
        var copied = await CopyAsync(installation.Stores.Blobs, folder.Blobs, blobs, cancel);
        var bodies = await CopyAsync(installation.Stores.Imports, folder.Imports, imports, cancel);
        var files = await KeepFilesAsync(installation.Paths, folder, cancel);

        List<string> missing = [.. copied.Missing, .. bodies.Missing];
        await folder.FinishAsync(new(Backup.CurrentFormat, Version, at, database, files, blobs.Count, imports.Count, missing), blobs,
            imports, cancel);
        Console.WriteLine($"The backup in '{folder.Path}' is complete, as of {at:u}: a database of {Megabytes(database.Bytes)}, "
            + $"{blobs.Count + imports.Count} blobs ({copied.New + bodies.New} new, {Megabytes(copied.Bytes + bodies.Bytes)}) and "
            + $"{files.Count} other files.");
        return Told(missing);
    }

    /// <summary>Copies the blobs that are missing or damaged in <paramref name="to"/>, and verifies each against its hash.</summary>
    internal static async Task<(int New, long Bytes, IReadOnlyList<string> Missing)> CopyAsync(
        IBlobStore from, IBlobStore to, IReadOnlyCollection<byte[]> hashes, CancellationToken cancel)
    {
        var (copied, bytes, missing) = (0, 0L, new System.Collections.Concurrent.ConcurrentBag<string>());
        await Parallel.ForEachAsync(hashes, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel },
            async (sha256, token) =>
        {
            await using (var there = await to.OpenAsync(sha256, token))
            {
                if (there is not null && (await SHA256.HashDataAsync(there, token)).AsSpan().SequenceEqual(sha256))
                {
                    return;
                }
            }

            // As a stream, because the body of an import may be gigabytes.
            await using var source = await from.OpenAsync(sha256, token);
            if (source is null || !(await SHA256.HashDataAsync(source, token)).AsSpan().SequenceEqual(sha256))
            {
                missing.Add(Convert.ToHexStringLower(sha256));
                return;
            }

            await to.PutAsync(source, token);
            Interlocked.Increment(ref copied);
            Interlocked.Add(ref bytes, source.Length);
        });
        return (copied, bytes, [.. missing.Order(StringComparer.Ordinal)]);
    }

    internal static int Told(IReadOnlyCollection<string> missing)
    {
        if (missing.Count == 0)
        {
            return 0;
        }

        Console.Error.WriteLine($"{missing.Count} blobs were already missing or damaged in the blob store: "
            + $"{string.Join(", ", missing.Take(5))}"
            + (missing.Count > 5 ? ", … (backup.json lists all of them)." : "."));
        return 2;
    }

    private static string Version => typeof(BackupCommand).Assembly.GetName().Version!.ToString(3);

    private static string Megabytes(long bytes) => $"{bytes / 1e6:0.0} MB";

    private static async Task<(string Name, DateTime At)> ExportAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT pg_export_snapshot(), now()", connection);
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        return (row.GetString(0), row.GetDateTime(1));
    }

    private static async Task<List<BackupFile>> KeepFilesAsync(DataPaths paths, BackupFolder folder, CancellationToken cancel)
    {
        var kept = new List<BackupFile>();
        foreach (var place in (string[])[paths.Keys, paths.RegisteredBackbones, paths.RegisteredTexts])
        {
            foreach (var file in Directory.Exists(place) ? Directory.EnumerateFiles(place).Where(IsWhole) : [])
            {
                kept.Add(await folder.KeepAsync(file, Path.GetRelativePath(paths.Root, file).Replace('\\', '/'), cancel));
            }
        }

        return kept;
    }

    private static bool IsWhole(string file) => Path.GetExtension(file) is not (".upload" or ".part" or ".tmp");
}
