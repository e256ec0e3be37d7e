using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>
/// Brings what the hosts on one database share (<see cref="SharedBackboneStore"/>) to this host, and unloads what was removed: what one
/// host gets while it runs, all get. Folders named in settings are not shared.
/// </summary>
public sealed partial class SharedBackbones(SharedBackboneStore store, IDbContextFactory<HeadstartDb> databases,
    LoadedBackbones loaded, LoadedTextBackbones texts, DataPaths paths, ILogger<SharedBackbones> log) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly HashSet<(string Sha256, string Manifest)> _refused = []; // not downloaded again until the restart

    /// <summary>Whether there are no other hosts.</summary>
    public bool IsAlone => store.IsAlone;

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

        await store.GiveAsync(new(manifest, file), registered: true, cancel);
        File.Delete(file);
        await BringAsync(cancel);
    }

    /// <summary>Whether a user removed a backbone with this id, so that it must not come back by itself.</summary>
    public async Task<bool> WasRemovedAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.SharedBackbones.AnyAsync(b => b.Id == id && b.RemovedAt != null, cancel);
    }

    /// <summary>Brings what others have, and gives what only this host has.</summary>
    public async Task ExchangeAsync(CancellationToken cancel)
    {
        await BringAsync(cancel);
        await store.GiveAllAsync(loaded.All.Select(backbone => backbone.Manifest), cancel);
    }

    /// <summary>Downloads what this host lacks and others have, and unloads what was removed, or registered anew with another file while
    /// this host was down.</summary>
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
                var (here, isRegistered, letGo) = Here(shared);
                var isSame = here == Convert.ToHexStringLower(shared.Sha256);
                if (here is not null && (shared.RemovedAt is null ? isRegistered && !isSame : isSame))
                {
                    letGo();
                    here = null;
                }

                if (shared.RemovedAt is null && here is null && !_refused.Contains(KeyOf(shared)))
                {
                    await BringAsync(shared, cancel);
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The hash of this host's backbone or word vectors with that id, whether a user registered them, and how to unload
    /// them.</summary>
    private (string? Sha256, bool IsRegistered, Action LetGo) Here(SharedBackbone shared)
    {
        if (shared.TextId is { } id)
        {
            var text = texts.Find(id);
            return (text?.Sha256, Path.GetDirectoryName(text?.Path) == paths.RegisteredTexts, LetTextGo);

            void LetTextGo()
            {
                texts.Remove(text!);
                File.Delete(Path.Combine(paths.RegisteredTexts, Path.GetFileName(text!.Path)));
            }
        }

        var backbone = loaded.Find(shared.Id);
        var isRegistered = shared.Registered && Path.GetDirectoryName(backbone?.File.Path) == paths.RegisteredBackbones;
        return (backbone?.Manifest.Sha256, isRegistered, LetGo);

        void LetGo()
        {
            loaded.Remove(backbone!);
            BackboneFolders.Remove(shared.Id, store.FolderOf(shared));
        }
    }

    private async Task BringAsync(SharedBackbone shared, CancellationToken cancel)
    {
        string? file = null;
        try
        {
            file = await store.DownloadAsync(shared, cancel);
            if (shared.TextId is null)
            {
                loaded.Take(BackboneFolders.Place(file, shared.ReadManifest(), store.FolderOf(shared)));
            }
            else
            {
                texts.Take(file, store.TextPlaceOf(shared));
            }
        }
        catch (Exception e) when (e is BackboneException or TextFeaturesException)
        {
            Log.Unusable(log, shared.Id, e.Message);
            if (file is not null)
            {
                _refused.Add(KeyOf(shared));
            }
        }
        finally
        {
            if (file is not null)
            {
                File.Delete(file);
            }
        }
    }

    private static (string Sha256, string Manifest) KeyOf(SharedBackbone shared) =>
        (Convert.ToHexString(shared.Sha256), shared.Manifest);

    public void Dispose() => _one.Dispose();

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot use backbone {Id} of another host: {Reason}")]
        public static partial void Unusable(ILogger log, string id, string reason);
    }
}
