using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;
using Headstart.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>
/// The backbones that hosts on one database have in common: a row each, and the file in the blob store. A host with its own database has
/// no other hosts, and keeps its backbones in the data folder only.
/// </summary>
public sealed class SharedBackboneStore(
    IDbContextFactory<HeadstartDb> databases, DatabaseAddress database, IBlobStore blobs, DataPaths paths)
{
    /// <summary>Whether there are no other hosts.</summary>
    public bool IsAlone => database.IsOwn;

    /// <summary>Gives a file of this host to all hosts. If the host dies before the end, its next start repeats this.</summary>
    /// <returns>null if it was given; otherwise what another host gave under this id before, which stays.</returns>
    public Task<SharedBackbone?> GiveAsync(BackboneFile file, bool registered, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(file);
        return GiveAsync(file.Path, file.Manifest.Id, Encoding.UTF8.GetString(file.Manifest.ToJson()), registered, cancel);
    }

    /// <summary>Gives registered word vectors to all hosts. If the host dies before the end, its next start repeats this.</summary>
    /// <inheritdoc cref="GiveAsync(BackboneFile, bool, CancellationToken)"/>
    public Task<SharedBackbone?> GiveTextAsync(string path, string id, string fileName, CancellationToken cancel) =>
        GiveAsync(path, SharedBackbone.IdOf(id), JsonSerializer.Serialize(fileName), registered: true, cancel);

    private async Task<SharedBackbone?> GiveAsync(string path, string id, string manifest, bool registered, CancellationToken cancel)
    {
        if (IsAlone)
        {
            return null;
        }

        await using var bytes = File.OpenRead(path);
        var sha256 = await blobs.PutAsync(bytes, cancel);
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Database.ExecuteSqlAsync($"""
            INSERT INTO shared_backbones (id, sha256, manifest, registered, created_at)
            VALUES ({id}, {sha256}, {manifest}::jsonb, {registered}, now())
            ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256, manifest = excluded.manifest, registered = excluded.registered, created_at = now(), removed_at = NULL
            WHERE shared_backbones.removed_at IS NOT NULL
            """, cancel) == 0)
        {
            return await db.SharedBackbones.SingleAsync(b => b.Id == id, cancel);
        }

        await Announcements.SayAsync(db, Announcement.Backbones, cancel);
        return null;
    }

    /// <summary>Removes a registered backbone from all hosts.</summary>
    public async Task TakeBackAsync(string id, CancellationToken cancel)
    {
        if (IsAlone)
        {
            return;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync($"UPDATE shared_backbones SET removed_at = now() WHERE id = {id}", cancel);
        await Announcements.SayAsync(db, Announcement.Backbones, cancel);
    }

    /// <summary>Shares files in this host's folders that other hosts do not know yet, for example from the fetch command.</summary>
    /// <param name="backbones">Those of this host; others' files are left alone. Word vectors are found by their files.</param>
    /// <param name="cancel">Cancels the exchange.</param>
    public async Task GiveAllAsync(IEnumerable<BackboneManifest> backbones, CancellationToken cancel)
    {
        if (IsAlone)
        {
            return;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        var known = await db.SharedBackbones.Select(b => b.Id).ToListAsync(cancel);
        foreach (var backbone in backbones.ExceptBy(known, b => b.Id))
        {
            foreach (var (folder, registered) in ((string, bool)[])[(paths.Backbones, false), (paths.RegisteredBackbones, true)])
            {
                var path = Path.Combine(folder, $"{backbone.Id}.onnx");
                if (File.Exists(path))
                {
                    await GiveAsync(new(backbone, path), registered, cancel);
                }
            }
        }

        foreach (var path in Directory.Exists(paths.RegisteredTexts) ? Directory.GetFiles(paths.RegisteredTexts) : [])
        {
            var name = Path.GetFileName(path);
            if (RegisteredText.EndingOf(name) is { } ending && name[..^ending.Length] is var id && !known.Contains(SharedBackbone.IdOf(id)))
            {
                await GiveTextAsync(path, id, name, cancel);
            }
        }
    }

    /// <summary>Downloads the file of a backbone into the folder that it belongs to, under a temporary name.</summary>
    /// <exception cref="BackboneException">The blob store lacks the file, or has another.</exception>
    public async Task<string> DownloadAsync(SharedBackbone shared, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(shared);
        var half = Path.Combine(FolderOf(shared), $"{Guid.CreateVersion7():n}.upload");
        try
        {
            await using var bytes = await blobs.OpenAsync(shared.Sha256, cancel)
                ?? throw new BackboneException("its file is missing from the blob store");
            await using var file = File.Create(half);
            await bytes.CopyToAsync(file, cancel);
            file.Position = 0;
            return (await SHA256.HashDataAsync(file, cancel)).AsSpan().SequenceEqual(shared.Sha256) ? half
                : throw new BackboneException("its file is damaged in the blob store");
        }
        catch
        {
            File.Delete(half);
            throw;
        }
    }

    /// <summary>Moves all from the blob store to where the start of a host that is alone finds them.</summary>
    /// <returns>A sentence about each that cannot be had; it stays shared.</returns>
    public async Task<IReadOnlyList<string>> MoveToDataFolderAsync(CancellationToken cancel)
    {
        var problems = new List<string>();
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var shared in await db.SharedBackbones.ToListAsync(cancel))
        {
            try
            {
                if (shared.RemovedAt is null)
                {
                    await PlaceAsync(shared, cancel);
                }

                // Only now: a repeated restore finds it again.
                await db.SharedBackbones.Where(b => b.Id == shared.Id).ExecuteDeleteAsync(cancel);
            }
            catch (BackboneException e)
            {
                problems.Add($"Backbone {shared.Id} cannot be restored: {e.Message.TrimEnd('.')}; register it again.");
            }
        }

        return problems;
    }

    private async Task PlaceAsync(SharedBackbone shared, CancellationToken cancel)
    {
        var manifest = shared.TextId is null ? shared.ReadManifest() : null;
        var file = await DownloadAsync(shared, cancel);
        if (manifest is null)
        {
            File.Move(file, TextPlaceOf(shared), overwrite: true);
        }
        else
        {
            BackboneFolders.Place(file, manifest, FolderOf(shared));
        }
    }

    /// <summary>Where the file of word vectors belongs.</summary>
    public string TextPlaceOf(SharedBackbone shared)
    {
        ArgumentNullException.ThrowIfNull(shared);
        return Path.Combine(Directory.CreateDirectory(paths.RegisteredTexts).FullName, shared.ReadFileName());
    }

    /// <summary>The folder of a backbone for images, which word vectors pass through.</summary>
    public string FolderOf(SharedBackbone shared)
    {
        ArgumentNullException.ThrowIfNull(shared);
        return Directory.CreateDirectory(shared.Registered ? paths.RegisteredBackbones : paths.Backbones).FullName;
    }
}
