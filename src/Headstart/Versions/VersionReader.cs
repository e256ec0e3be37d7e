using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;

namespace Headstart.Versions;

/// <summary>Reads the artifact of a version: its head, with the backbones and the text features that the head reads.</summary>
public sealed class VersionReader(IBlobStore blobs, LoadedBackbones loaded, DetectorBackbones detectors, SharedBackbones shared,
    LoadedTextBackbones texts)
{
    /// <summary>Reads a version and loads what its head reads. The caller owns the result.</summary>
    /// <param name="kind">Kind of the version's model.</param>
    /// <param name="number">Number of the version.</param>
    /// <param name="bytes">The artifact.</param>
    /// <exception cref="RefusedException">A backbone or the text features are missing on this host.</exception>
    public async Task<ServedVersion> ReadAsync(ModelKind kind, int number, byte[] bytes, CancellationToken cancel)
    {
        try
        {
            return kind.HasBoxes() ? await DetectorAsync(number, bytes, cancel)
                : await ClassifierAsync(number, HeadArtifact.Read(bytes), cancel);
        }
        catch (HeadArtifactException e)
        {
            throw Unavailable(e.Message);
        }
    }

    private async Task<ServedClassifier> ClassifierAsync(int number, HeadArtifact artifact, CancellationToken cancel)
    {
        var (features, size) = artifact.Parts is [{ PreprocessingId: ArtifactPart.Text } part] ? await TextsAsync(part, cancel)
            : (new ImageFeatures(await RecipeOfAsync(artifact, cancel)), 0);
        return features.Length == artifact.Head.Features ? new(number, features, artifact.Head, artifact.Known, size)
            : throw Unavailable($"This version's head expects {artifact.Head.Features} features, but {features.Id} gives "
                + $"{features.Length}; train again.");
    }

    private async Task<ServedDetector> DetectorAsync(int number, byte[] bytes, CancellationToken cancel)
    {
        var head = DetectionHead.Read(bytes);
        try
        {
            await BringAsync([head.BackboneId], cancel);
            return detectors.Find(head.BackboneId) is { } backbone && backbone.Feeds(head)
                ? new(number, backbone, head, bytes.Length) : throw NoBackbone(head.BackboneId, head.BackboneSha256);
        }
        catch
        {
            head.Dispose();
            throw;
        }
    }

    // The same file and the same preprocessing, not just the same name: anything else would predict confidently and wrongly.
    private FeaturePart Part(ArtifactPart read) =>
        loaded.Find(read.BackboneId)?.Behind(read.PreprocessingId) is { } backbone && backbone.Manifest.Sha256 == read.BackboneSha256
            && backbone.Readable.FirstOrDefault(s => s.Name == read.Section) is { } section
            ? new(backbone, section)
            : throw NoBackbone(read.BackboneId, read.BackboneSha256);

    private async Task<FeatureRecipe> RecipeOfAsync(HeadArtifact read, CancellationToken cancel)
    {
        await BringAsync(read.Parts.Select(part => part.BackboneId), cancel);
        return new([.. read.Parts.Select(Part)]);
    }

    private async Task BringAsync(IEnumerable<string> backbones, CancellationToken cancel)
    {
        if (backbones.Any(id => loaded.Find(id) is null))
        {
            await loaded.Bundled.WaitAsync(cancel); // the host may have just started
            await shared.BringAsync(cancel); // another host trained it with a backbone that is still unknown here
        }
    }

    private RefusedException NoBackbone(string id, string sha256) => Unavailable($"This version needs the backbone {id} (SHA-256 "
        + $"{sha256[..Math.Min(12, sha256.Length)]}…), which this host does not have. {loaded.HowToGetOne}");

    internal static RefusedException Unavailable(string why) => new(VersionProblems.Unavailable(why));

    private async Task<(VersionFeatures Features, long Bytes)> TextsAsync(ArtifactPart part, CancellationToken cancel)
    {
        try
        {
            using var file = new MemoryStream(await blobs.GetAsync(Convert.FromHexString(part.BackboneSha256), cancel)
                ?? throw Unavailable(
                $"The features of this version, {part.BackboneId}, are missing from the blob store or damaged there; publish another "
                    + "version or train again."));
            try
            {
                return (new WordFeatures(TextFeatures.Load(file, texts.All)), file.Length);
            }
            catch (TextFeaturesException)
            {
                await shared.BringAsync(cancel); // another host trained it with word vectors that are still unknown here
                file.Position = 0;
                return (new WordFeatures(TextFeatures.Load(file, texts.All)), file.Length);
            }
        }
        catch (Exception e) when (e is TextFeaturesException or FormatException)
        {
            throw Unavailable(e.Message);
        }
    }
}
