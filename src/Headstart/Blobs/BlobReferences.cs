using System.Collections.Concurrent;
using Headstart.Learning.Heads;
using Npgsql;

namespace Headstart.Blobs;

/// <summary>
/// Which blobs the rows of the database refer to. Add every new column with a blob's SHA-256 here; a test checks it. Feature vectors and
/// the images of ended runs are only keyed by a hash and need no blobs.
/// </summary>
public sealed class BlobReferences(IBlobStore blobs)
{
    /// <summary>SQL for all references (column <c>sha256</c>) except features of texts, which only the heads of versions name.</summary>
    public const string ToBlobs = """
        SELECT sha256 FROM examples WHERE text IS NULL
        UNION ALL SELECT artifact FROM model_versions
        UNION ALL SELECT evaluated FROM model_versions WHERE evaluated IS NOT NULL
        UNION ALL SELECT report FROM model_versions
        UNION ALL SELECT i.sha256 FROM run_examples i JOIN training_runs r ON r.id = i.run_id JOIN models m ON m.id = r.model_id
            WHERE r.state IN ('Queued', 'Running') AND m.kind <> 'TextClassification'
        UNION ALL SELECT sha256 FROM batch_items WHERE sha256 IS NOT NULL
        UNION ALL SELECT sha256 FROM search_candidates WHERE sha256 IS NOT NULL
        UNION ALL SELECT sha256 FROM shared_backbones WHERE removed_at IS NULL
        """;

    /// <summary>Bodies that imports still need.</summary>
    public const string ToImports = "SELECT source AS sha256 FROM imports WHERE state IN ('Queued', 'Running')";

    /// <summary>Includes bodies that are being stored for an import.</summary>
    public const string ToImportsToBe = ToImports + " UNION ALL SELECT sha256 FROM import_sources";

    private const string TextVersions =
        "SELECT v.artifact FROM model_versions v JOIN models m ON m.id = v.model_id WHERE m.kind = 'TextClassification'";

    private readonly ConcurrentDictionary<string, byte[][]> _features = new(); // by head, which never changes

    /// <summary>The candidates that nothing refers to at this moment.</summary>
    /// <param name="database">Open; queried twice.</param>
    /// <param name="references">One of the statements above.</param>
    /// <param name="candidates">SHA-256 of each.</param>
    /// <exception cref="HeadArtifactException">A head has an unknown format, so nobody knows what it needs.</exception>
    public async Task<List<byte[]>> UnneededAsync(NpgsqlConnection database, string references, IReadOnlyCollection<byte[]> candidates,
        CancellationToken cancel)
    {
        var unneeded = await ReadAsync(database, $"""
            SELECT candidate.sha256 FROM unnest($1) AS candidate (sha256)
            WHERE NOT EXISTS (SELECT FROM ({references}) AS reference WHERE reference.sha256 = candidate.sha256)
            """, candidates, cancel);
        if (references == ToBlobs && unneeded.Count > 0)
        {
            var features = (await OfTextsAsync(database, cancel)).ConvertAll(Convert.ToHexString).ToHashSet();
            unneeded.RemoveAll(sha256 => features.Contains(Convert.ToHexString(sha256)));
        }

        return unneeded;
    }

    /// <summary>All referenced blobs, without duplicates.</summary>
    /// <inheritdoc cref="UnneededAsync"/>
    public async Task<List<byte[]>> AllAsync(NpgsqlConnection database, string references, CancellationToken cancel)
    {
        var all = await ReadAsync(database, $"SELECT DISTINCT sha256 FROM ({references}) AS reference", null, cancel);
        return references != ToBlobs ? all
            : [.. all.Concat(await OfTextsAsync(database, cancel)).DistinctBy(Convert.ToHexString)];
    }

    private async Task<List<byte[]>> OfTextsAsync(NpgsqlConnection database, CancellationToken cancel)
    {
        var all = new List<byte[]>();
        foreach (var head in await ReadAsync(database, TextVersions, null, cancel))
        {
            var name = Convert.ToHexString(head);
            if (!_features.TryGetValue(name, out var features))
            {
                if (await blobs.GetAsync(head, cancel) is not { } bytes)
                {
                    continue; // without the head its features are useless
                }

                features = _features[name] = [.. HeadArtifact.Read(bytes).Parts.Where(part => part.PreprocessingId == ArtifactPart.Text)
                    .Select(part => Convert.FromHexString(part.BackboneSha256))];
            }

            all.AddRange(features);
        }

        return all;
    }

    private static async Task<List<byte[]>> ReadAsync(NpgsqlConnection database, string sql, IReadOnlyCollection<byte[]>? candidates,
        CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, database) { CommandTimeout = 600 };
        if (candidates is not null)
        {
            command.Parameters.Add(new() { Value = candidates.ToArray() });
        }

        var found = new List<byte[]>();
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            found.Add(rows.GetFieldValue<byte[]>(0));
        }

        return found;
    }
}
