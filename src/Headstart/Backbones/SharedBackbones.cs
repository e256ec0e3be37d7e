using System.Security.Cryptography;
using System.Text.Json;
using Headstart.Blobs;
using Headstart.Concurrency;
using Headstart.Data;
using Headstart.Disk;
using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;
using Headstart.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>
/// What several hosts on one database have of backbones: what comes to one while it runs comes to all, by way of the blob store. Nothing
/// here where the host has a database of its own, and so no others. Folders named in settings are not shared.
/// </summary>
public sealed partial class SharedBackbones : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly IBlobStore _blobs;
    private readonly LoadedBackbones _loaded;
    private readonly LoadedTextBackbones _texts;
    private readonly DataPaths _paths;
    private readonly TimeProvider _clock;
    private readonly ILogger<SharedBackbones> _log;
    private readonly SemaphoreSlim _one = new(1);
    private readonly SemaphoreSlim _news = new(0, 1);
    private readonly bool _alone;

    public SharedBackbones(IDbContextFactory<HeadstartDb> databases, DatabaseAddress database, IBlobStore blobs, LoadedBackbones loaded,
        LoadedTextBackbones texts, DataPaths paths,
        Announcements announcements, TimeProvider clock, ILogger<SharedBackbones> log)
    {
        (_databases, _blobs, _loaded, _texts, _paths, _clock, _log, _alone) =
            (databases, blobs, loaded, texts, paths, clock, log, database.IsOwn);
        announcements.Listen(Announcement.Backbones, Wake);
    }

    /// <summary>Triggers an exchange with the other hosts.</summary>
    public void Wake() => _news.Wake();

    /// <summary>Gives a file of this host to all hosts. If the host dies before the end, its next start does it.</summary>
    public Task GiveAsync(BackboneFile file, bool registered, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(file);
        return GiveAsync(file.Path, file.Manifest.Id, System.Text.Encoding.UTF8.GetString(file.Manifest.ToJson()), registered, cancel);
    }

    /// <summary>Takes in a file that this host has made, here and on all hosts. Where another one was first, its file counts.</summary>
    /// <param name="file">In the folder of registered backbones; it is not left there under this name.</param>
    /// <param name="manifest">Its description.</param>
    /// <param name="cancel">Ends the exchange.</param>
    /// <exception cref="BackboneException">It cannot be used.</exception>
    public async Task TakeInAsync(string file, BackboneManifest manifest, CancellationToken cancel)
    {
        if (_alone)
        {
            _loaded.Take(BackboneFolders.Place(file, manifest, _paths.RegisteredBackbones));
            return;
        }

        await GiveAsync(new(manifest, file), registered: true, cancel);
        File.Delete(file);
        await BringAsync(cancel);
    }

    /// <summary>Gives registered word vectors to all hosts. If the host dies before the end, its next start does it.</summary>
    public Task GiveTextAsync(string path, string id, string fileName, CancellationToken cancel) =>
        GiveAsync(path, SharedBackbone.IdOf(id), JsonSerializer.Serialize(fileName), registered: true, cancel);

    private async Task GiveAsync(string path, string id, string manifest, bool registered, CancellationToken cancel)
    {
        if (_alone)
        {
            return;
        }

        await using var bytes = File.OpenRead(path);
        var sha256 = await _blobs.PutAsync(bytes, cancel);
        await using var db = await _databases.CreateDbContextAsync(cancel);
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
        if (_alone)
        {
            return;
        }

        await using var db = await _databases.CreateDbContextAsync(cancel);
        await db.SharedBackbones.Where(b => b.Id == id).ExecuteUpdateAsync(set => set.SetProperty(b => b.RemovedAt, _clock.Now()), cancel);
        await Announcements.SayAsync(db, Announcement.Backbones, cancel);
    }

    /// <summary>Downloads what other hosts have and this one lacks, and unloads what was removed.</summary>
    public async Task BringAsync(CancellationToken cancel)
    {
        if (_alone)
        {
            return;
        }

        await _one.WaitAsync(cancel);
        try
        {
            await using var db = await _databases.CreateDbContextAsync(cancel);
            foreach (var shared in await db.SharedBackbones.ToListAsync(cancel))
            {
                var (here, letGo) = Here(shared);
                if (shared.RemovedAt is null && here is null)
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

    /// <summary>Runs before the host accepts requests, so that it has what the others have.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryAsync(ExchangeAsync, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _one.Dispose();
        _news.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        while (!_alone && !stopping.IsCancellationRequested)
        {
            await _news.WaitAsync(Period, stopping);
            await TryAsync(ExchangeAsync, stopping);
        }
    }

    private async Task ExchangeAsync(CancellationToken cancel)
    {
        if (!_alone)
        {
            await BringAsync(cancel);
            await GiveAllAsync(cancel);
        }
    }

    /// <summary>Shares files that other hosts do not know yet, for example from the fetch command.</summary>
    private async Task GiveAllAsync(CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var known = await db.SharedBackbones.Select(b => b.Id).ToListAsync(cancel);
        foreach (var backbone in _loaded.All.ExceptBy(known, b => b.Manifest.Id))
        {
            foreach (var (folder, registered) in ((string, bool)[])[(_paths.Backbones, false), (_paths.RegisteredBackbones, true)])
            {
                var path = Path.Combine(folder, $"{backbone.Manifest.Id}.onnx");
                if (File.Exists(path))
                {
                    await GiveAsync(new(backbone.Manifest, path), registered, cancel);
                }
            }
        }

        foreach (var path in Directory.Exists(_paths.RegisteredTexts) ? Directory.GetFiles(_paths.RegisteredTexts) : [])
        {
            var name = Path.GetFileName(path);
            if (RegisteredText.EndingOf(name) is { } ending && name[..^ending.Length] is var id && !known.Contains(SharedBackbone.IdOf(id)))
            {
                await GiveTextAsync(path, id, name, cancel);
            }
        }
    }

    /// <summary>What this host has under that id, and how to unload it.</summary>
    private (string? Sha256, Action LetGo) Here(SharedBackbone shared)
    {
        if (shared.TextId is { } id)
        {
            var text = _texts.Find(id);
            return (text?.Sha256, LetTextGo);

            void LetTextGo()
            {
                _texts.Remove(text!);
                File.Delete(Path.Combine(_paths.RegisteredTexts, Path.GetFileName(text!.Path)));
            }
        }

        var backbone = _loaded.Find(shared.Id);
        return (backbone?.Manifest.Sha256, LetGo);

        void LetGo()
        {
            _loaded.Remove(backbone!);
            BackboneFolders.Remove(shared.Id, Folder(shared));
        }
    }

    private async Task BringAsync(SharedBackbone shared, CancellationToken cancel)
    {
        var folder = Directory.CreateDirectory(Folder(shared)).FullName;
        var half = Path.Combine(folder, $"{Guid.CreateVersion7():n}.upload");
        try
        {
            await using (var bytes = await _blobs.OpenAsync(shared.Sha256, cancel) ?? throw new BackboneException("its file is missing "
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

            if (shared.TextId is not null)
            {
                _texts.Take(half, Path.Combine(Directory.CreateDirectory(_paths.RegisteredTexts).FullName,
                    JsonSerializer.Deserialize<string>(shared.Manifest)!));
                return;
            }

            var manifest = BackboneManifest.Parse(System.Text.Encoding.UTF8.GetBytes(shared.Manifest));
            _loaded.Take(BackboneFolders.Place(half, manifest, folder));
        }
        catch (Exception e) when (e is BackboneException or TextFeaturesException)
        {
            Log.Failed(_log, $"Cannot use backbone {shared.Id} of another host: {e.Message}");
        }
        finally
        {
            File.Delete(half);
        }
    }

    private string Folder(SharedBackbone shared) => shared.Registered ? _paths.RegisteredBackbones : _paths.Backbones;

    private async Task TryAsync(Func<CancellationToken, Task> work, CancellationToken cancel)
    {
        try
        {
            await work(cancel);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            Log.Failed(_log, $"Cannot share backbones with other hosts; retrying: {e.GetBaseException().Message}");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
        public static partial void Failed(ILogger log, string problem);
    }
}
