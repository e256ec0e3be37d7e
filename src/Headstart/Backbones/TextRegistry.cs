using System.Security.Cryptography;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>Adds and removes users' own word vectors while the host runs, as <see cref="BackboneRegistry"/> does with networks.</summary>
public sealed class TextRegistry(LoadedTextBackbones loaded, SharedBackboneStore shared, DataPaths paths,
    IDbContextFactory<HeadstartDb> databases) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1); // two files must not both find the same id free

    /// <summary>Whether a user registered it, so that it can be removed.</summary>
    public bool IsRegistered(RegisteredText text) => Path.GetDirectoryName(text.Path) == paths.RegisteredTexts;

    /// <summary>Checks the file and registers it. If the host dies meanwhile it is either registered or not, never half done.</summary>
    /// <param name="file">On the file system of the data folder; moved from there.</param>
    /// <param name="id">null to use the name of the file.</param>
    /// <param name="fileName">The owner's name of the file.</param>
    /// <param name="cancel">Cancels the check.</param>
    /// <returns>The word vectors and whether they are new, or why they were refused.</returns>
    public async Task<(RegisteredText Text, bool IsNew)> AddAsync(string file, string? id, string fileName, CancellationToken cancel)
    {
        if (RegisteredText.EndingOf(fileName) is not { } ending)
        {
            throw new RefusedException(Problems.Invalid("unusable-backbone", $"{fileName} must be a .txt or .txt.gz file with word "
                + "vectors in GloVe's "
                + "format; copy sentence networks into the folder text of a backbones folder instead."));
        }

        var name = id ?? BackboneDescription.IdOf(fileName[..^ending.Length]);
        if (!BackboneManifest.IsId(name))
        {
            throw new RefusedException(Problems.Invalid("invalid-field", BackboneManifest.IdRule + "."));
        }

        await _one.WaitAsync(cancel);
        try
        {
            byte[] sha256;
            await using (var bytes = File.OpenRead(file))
            {
                sha256 = await SHA256.HashDataAsync(bytes, cancel);
            }

            var hash = Convert.ToHexStringLower(sha256);
            if (loaded.All.FirstOrDefault(text => text.Sha256 == hash && (id ?? text.Id) == text.Id) is { } known)
            {
                return (known, false);
            }

            if (TextCandidates.IsTaken(name, loaded.All))
            {
                throw Exists(name);
            }

            await Task.Run(() => RegisteredText.Check(file, fileName), cancel);
            return await TakeAsync(file, sha256, name, $"{name}{ending.ToLowerInvariant()}");
        }
        catch (TextFeaturesException e)
        {
            throw new RefusedException(Problems.Invalid("unusable-backbone", e.Message));
        }
        finally
        {
            _one.Release();
        }
    }

    /// <returns>null if they were removed, otherwise why not.</returns>
    public async Task<ProblemHttpResult?> RemoveAsync(RegisteredText text, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!IsRegistered(text))
        {
            return BackboneUse.NotRegistered();
        }

        if (await BackboneUse.TakeOffAsync(token => UsedAsync(text, token), () => loaded.Remove(text), () => loaded.Return(text), cancel)
            is { } used)
        {
            return used;
        }

        await shared.TakeBackAsync(SharedBackbone.IdOf(text.Id), CancellationToken.None);
        File.Delete(text.Path);
        return null;
    }

    public void Dispose() => _one.Dispose();

    private static RefusedException Exists(string id) => new(Problems.Of(StatusCodes.Status409Conflict, "backbone-exists",
        $"The id '{id}' is already taken; choose another one."));

    private async Task<(RegisteredText Text, bool IsNew)> TakeAsync(string file, byte[] sha256, string id, string name)
    {
        // First: otherwise an earlier removal would unload it again.
        var before = await shared.GiveTextAsync(file, id, name, CancellationToken.None);
        if (before is not null && !before.Sha256.AsSpan().SequenceEqual(sha256))
        {
            throw Exists(id); // another host was first, and this one has not brought its file yet
        }

        var place = before is null ? Path.Combine(Directory.CreateDirectory(paths.RegisteredTexts).FullName, name)
            : shared.TextPlaceOf(before);
        try
        {
            return (await Task.Run(() => loaded.Take(file, place)), before is null);
        }
        catch when (before is null)
        {
            await shared.TakeBackAsync(SharedBackbone.IdOf(id), CancellationToken.None);
            File.Delete(place);
            throw;
        }
    }

    private async Task<ProblemHttpResult?> UsedAsync(RegisteredText text, CancellationToken cancel)
    {
        var ids = TextCandidates.IdsReadingWords(text.Id);
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await BackboneUse.FindAsync(
            db, db.Versions.Where(v => ids.Contains(v.Backbone)
            && db.Models.Any(m => m.Id == v.ModelId && m.Kind == ModelKind.TextClassification)), cancel);
    }
}
