using System.Security.Cryptography;
using System.Text.Json;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;
using Headstart.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>
/// Shares backbones among hosts on one database: what one host gets while it runs, all get, through the blob store. Does nothing if the
/// host has its own database and therefore no other hosts. Folders named in settings are not shared.
/// </summary>
public sealed partial class SharedBackbones(IDbContextFactory<HeadstartDb> databases, DatabaseAddress database, IBlobStore blobs,
    LoadedBackbones loaded, LoadedTextBackbones texts, DataPaths paths, ILogger<SharedBackbones> log) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly HashSet<(string Sha256, string Manifest)> _refused = []; // not downloaded again until the restart

    /// <summary>Whether there are no other hosts.</summary>
    public bool IsAlone => database.IsOwn;

    /// <summary>Gives a file of this host to all hosts. If the host dies before the end, its next start repeats this.</summary>
    public Task GiveAsync(BackboneFile file, bool registered, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(file);
        return GiveAsync(file.Path, file.Manifest.Id, System.Text.Encoding.UTF8.GetString(file.Manifest.ToJson()), registered, cancel);
    }

    /// <summary>Registers a file that this host made, here and on all hosts. If another host was first, its file wins.</summary>
    /// <param name="file">In the folder of registered backbones; renamed from there.</param>
    /// <param name="manifest">Its description.</param>
    /// <param name="cancel">Cancels the exchange.</param>
    /// <exception cref="BackboneException">The file cannot be used.</exception>
    public async Task TakeInAsync(string file, BackboneManifest manifest, CancellationToken cancel)
    {
        if (IsAlone)
        {
            loaded.Take(BackboneFolders.Place(file, manifest, paths.RegisteredBackbones));
            return;
        }

        await GiveAsync(new(manifest, file), registered: true, cancel);
        File.Delete(file);
        await BringAsync(cancel);
    }

    /// <summary>Gives registered word vectors to all hosts. If the host dies before the end, its next start repeats this.</summary>
    public Task GiveTextAsync(string path, string id, string fileName, CancellationToken cancel) =>
        GiveAsync(path, SharedBackbone.IdOf(id), JsonSerializer.Serialize(fileName), registered: true, cancel);

    private async Task GiveAsync(string path, string id, string manifest, bool registered, CancellationToken cancel)
    {
        if (IsAlone)
        {
            return;
        }

        await using var bytes = File.OpenRead(path);
        var sha256 = await blobs.PutAsync(bytes, cancel);
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO shared_backbones (id, sha256, manifest, registered, created_at)
            VALUES ({id}, {sha256}, {manifest}::jsonb, {registered}, now())
            ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256, manifest = excluded.manifest, registered = excluded.registered, created_at = now(), removed_at = NULL
            WHERE shared_backbones.removed_at IS NOT NULL
            """, cancel);
        await Announcements.SayAsync(db, Announcement.Backbones, cancel);
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

    /// <summary>Whether a user removed a backbone with this id, so that it must not come back by itself.</summary>
    public async Task<bool> WasRemovedAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.SharedBackbones.AnyAsync(b => b.Id == id && b.RemovedAt != null, cancel);
    }

    /// <summary>Downloads what this host lacks and others have, and unloads what was removed.</summary>
    public async Task BringAsync(CancellationToken cancel)
    {
        if (IsAlone)
        {
            return;
        }

        await _one.WaitAsync(cancel);
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            foreach (var shared in await db.SharedBackbones.ToListAsync(cancel))
            {
                var (here, letGo) = Here(shared);
                if (shared.RemovedAt is null && here is null && !_refused.Contains(KeyOf(shared)))
                {
                    await BringAsync(shared, cancel);
                }
                else if (shared.RemovedAt is not null && here == Convert.ToHexStringLower(shared.Sha256))
                {
                    letGo();
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Shares files that other hosts do not know yet, for example from the fetch command.</summary>
    public async Task GiveAllAsync(CancellationToken cancel)
    {
        if (IsAlone)
        {
            return;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        var known = await db.SharedBackbones.Select(b => b.Id).ToListAsync(cancel);
        foreach (var backbone in loaded.All.ExceptBy(known, b => b.Manifest.Id))
        {
            foreach (var (folder, registered) in ((string, bool)[])[(paths.Backbones, false), (paths.RegisteredBackbones, true)])
            {
                var path = Path.Combine(folder, $"{backbone.Manifest.Id}.onnx");
                if (File.Exists(path))
                {
                    await GiveAsync(new(backbone.Manifest, path), registered, cancel);
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

    /// <summary>The hash of this host's backbone or word vectors with that id, and how to unload them.</summary>
    private (string? Sha256, Action LetGo) Here(SharedBackbone shared)
    {
        if (shared.TextId is { } id)
        {
            var text = texts.Find(id);
            return (text?.Sha256, LetTextGo);

            void LetTextGo()
            {
                texts.Remove(text!);
                File.Delete(Path.Combine(paths.RegisteredTexts, Path.GetFileName(text!.Path)));
            }
        }

        var backbone = loaded.Find(shared.Id);
        return (backbone?.Manifest.Sha256, LetGo);

        void LetGo()
        {
            loaded.Remove(backbone!);
            BackboneFolders.Remove(shared.Id, Folder(shared));
        }
    }

    private async Task BringAsync(SharedBackbone shared, CancellationToken cancel)
    {
        var folder = Directory.CreateDirectory(Folder(shared)).FullName;
        var whole = false;
        var half = Path.Combine(folder, $"{Guid.CreateVersion7():n}.upload");
        try
        {
            await using (var bytes = await blobs.OpenAsync(shared.Sha256, cancel) ?? throw new BackboneException("its file is missing "
                + "from the blob store"))
            await using (var file = File.Create(half))
            {
                await bytes.CopyToAsync(file, cancel);
                file.Position = 0;
                if (!(await SHA256.HashDataAsync(file, cancel)).AsSpan().SequenceEqual(shared.Sha256))
                {
                    throw new BackboneException("its file is damaged in the blob store");
                }
            }

            whole = true;
            if (shared.TextId is not null)
            {
                texts.Take(half, Path.Combine(Directory.CreateDirectory(paths.RegisteredTexts).FullName,
                    JsonSerializer.Deserialize<string>(shared.Manifest)!));
                return;
            }

            var manifest = BackboneManifest.Parse(System.Text.Encoding.UTF8.GetBytes(shared.Manifest));
            loaded.Take(BackboneFolders.Place(half, manifest, folder));
        }
        catch (Exception e) when (e is BackboneException or TextFeaturesException)
        {
            Log.Unusable(log, shared.Id, e.Message);
            if (whole)
            {
                _refused.Add(KeyOf(shared));
            }
        }
        finally
        {
            File.Delete(half);
        }
    }

    private static (string Sha256, string Manifest) KeyOf(SharedBackbone shared) =>
        (Convert.ToHexString(shared.Sha256), shared.Manifest);

    private string Folder(SharedBackbone shared) => shared.Registered ? paths.RegisteredBackbones : paths.Backbones;

    public void Dispose() => _one.Dispose();

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot use backbone {Id} of another host: {Reason}")]
        public static partial void Unusable(ILogger log, string id, string reason);
    }
}
