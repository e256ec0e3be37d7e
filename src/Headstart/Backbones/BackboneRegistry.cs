using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>Adds and removes users' own backbones while the host runs.</summary>
public sealed class BackboneRegistry(
    LoadedBackbones loaded, HostCatalogue catalogue, SharedBackboneStore shared, EightBitForms forms, DataPaths paths,
    IDbContextFactory<HeadstartDb> databases, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim _one = new(1); // a check takes a core, and two files must not both find the same id free

    /// <summary>A path for an upload, on the same file system as its final place, so that a rename moves it there.</summary>
    public string NewUpload()
    {
        foreach (var old in Directory.CreateDirectory(paths.RegisteredBackbones).GetFiles("*.upload")
            .Where(f => clock.GetUtcNow() - f.LastWriteTimeUtc > Forgotten))
        {
            old.Delete(); // left by a killed host
        }

        return Path.Combine(paths.RegisteredBackbones, $"{Guid.CreateVersion7():n}.upload");
    }

    /// <summary>Whether a user registered it, so that it can be removed.</summary>
    public bool IsRegistered(Backbone backbone) => File.Exists(Path.Combine(paths.RegisteredBackbones, $"{backbone.Manifest.Id}.onnx"));

    /// <summary>Checks the file and registers it. If the host dies meanwhile it is either registered or not, never half done.</summary>
    /// <returns>The backbone and whether it is new, or why it was refused.</returns>
    public async Task<(Backbone Backbone, bool IsNew)> AddAsync(string file, BackboneDescription given, CancellationToken cancel)
    {
        await loaded.Bundled.WaitAsync(cancel); // their ids are taken
        await _one.WaitAsync(cancel);
        try
        {
            var sha256 = await Sha256Async(file, cancel);
            if (loaded.All.FirstOrDefault(b => b.Manifest.Sha256 == sha256 && given.Fits(b.Manifest)) is { } known)
            {
                return (known, false);
            }

            var manifest = await CheckProcess.RunAsync(file, given, cancel);
            return Taken(manifest) is { } taken ? throw Exists(taken) : await TakeAsync(file, manifest, given);
        }
        catch (BackboneException e)
        {
            throw new RefusedException(Problems.Invalid("unusable-backbone", e.Message));
        }
        finally
        {
            _one.Release();
        }
    }

    /// <returns>null if it was removed, otherwise why not.</returns>
    public async Task<ProblemHttpResult?> RemoveAsync(Backbone backbone, CancellationToken cancel)
    {
        if (!IsRegistered(backbone))
        {
            return BackboneUse.NotRegistered();
        }

        if (await BackboneUse.TakeOffAsync(token => UsedAsync(backbone, token), () => loaded.Remove(backbone), () =>
            loaded.Return(backbone), cancel) is { } used)
        {
            return used;
        }

        await shared.TakeBackAsync(backbone.Manifest.Id, CancellationToken.None);
        BackboneFolders.Remove(backbone.Manifest.Id, paths.RegisteredBackbones);
        forms.Deleted(backbone);
        await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
        await db.FeatureVectors.Where(v => v.Space == backbone.FeatureSpace || v.Space == backbone.Earlier.FeatureSpace)
            .ExecuteDeleteAsync(CancellationToken.None);
        return null;
    }

    public void Dispose() => _one.Dispose();

    private string? Taken(BackboneManifest manifest) =>
        loaded.Find(manifest.Id) is not null ? $"This host already has a backbone with the id '{manifest.Id}', with other weights, mean "
            + "or std; choose another id."
        : catalogue.Find(manifest.Id) is { } entry && entry.Manifest.Sha256 != manifest.Sha256 ? "The catalogue already has another "
            + $"backbone with the id '{manifest.Id}'; choose another id."
        : null;

    private static RefusedException Exists(string why) => new(Problems.Of(StatusCodes.Status409Conflict, "backbone-exists", why));

    private async Task<(Backbone Backbone, bool IsNew)> TakeAsync(string file, BackboneManifest manifest, BackboneDescription given)
    {
        // First: otherwise an earlier removal would unload it again. If the host dies after it, its next start brings the file.
        var before = await shared.GiveAsync(new(manifest, file), registered: true, CancellationToken.None);
        if (before is null)
        {
            try
            {
                return (await Task.Run(() => loaded.Take(BackboneFolders.Place(file, manifest, paths.RegisteredBackbones))), true);
            }
            catch
            {
                await shared.TakeBackAsync(manifest.Id, CancellationToken.None);
                BackboneFolders.Remove(manifest.Id, paths.RegisteredBackbones);
                throw;
            }
        }

        // Another host was first, and this one has not brought its file yet.
        var theirs = before.ReadManifest();
        return theirs.Sha256 == manifest.Sha256 && given.Fits(theirs)
            ? (await Task.Run(() => loaded.Take(BackboneFolders.Place(file, theirs, shared.FolderOf(before)))), false)
            : throw Exists($"Another host already has a backbone with the id '{manifest.Id}', with other weights, mean or std; choose "
                + "another id.");
    }

    private async Task<ProblemHttpResult?> UsedAsync(Backbone backbone, CancellationToken cancel)
    {
        // A version's backbone may be several joined with +, or a stage of one (@stage).
        var pattern = $@"(^|\+){Regex.Escape(backbone.Manifest.Id)}($|[+@])";
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await BackboneUse.FindAsync(db, db.Versions.Where(v => Regex.IsMatch(v.Backbone, pattern)), cancel);
    }

    private static async Task<string> Sha256Async(string file, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancel));
    }
}
