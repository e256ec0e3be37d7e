using System.Collections.Concurrent;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;
using Headstart.Tests;

namespace Headstart.Learning.Tests;

/// <summary>Real photographs and backbones, where HEADSTART_SHARED names the folder that has them; tests that need them skip
/// otherwise.</summary>
internal static class SharedData
{
    private static readonly ConcurrentDictionary<(string Backbone, string Set), Task<LabelledFeatures>> Extracted = new();

    public static Preprocessing ImageNet { get; } = new(224, [0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    public static string Folder(string relative)
    {
        Assert.SkipWhen(SharedFolder.Root is null, "HEADSTART_SHARED does not name a folder with backbones/ and datasets/.");
        var path = Path.Combine(SharedFolder.Root!, relative);
        Assert.SkipUnless(Directory.Exists(path), $"There is no folder {path}.");
        return path;
    }

    public static byte[] OddFile(string name) => File.ReadAllBytes(Path.Combine(Folder("datasets/odd_files"), name));

    public static IReadOnlyList<BackboneFile> Backbones() => BackboneFolders.Find([Folder("backbones")]).Found;

    public static BackboneFile Smallest() => Backbones().MinBy(file => file.Manifest.Bytes)!;

    public static string[] Photographs(string set) => [.. Directory
        .GetFiles(Folder($"datasets/{set}"), "*.*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    /// <summary>Features of a folder with one folder a category; extracted once a test run.</summary>
    public static Task<LabelledFeatures> Features(BackboneFile file, string set) =>
        Extracted.GetOrAdd((file.Manifest.Id, set), _ => ExtractAsync(file, Folder($"datasets/{set}")));

    private static async Task<LabelledFeatures> ExtractAsync(BackboneFile file, string folder)
    {
        string[] categories = [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        var images = categories
            .SelectMany((category, label) => Directory.GetFiles(Path.Combine(folder, category)).Select(path => (Path: path, Label: label)))
            .OrderBy(image => image.Path, StringComparer.Ordinal)
            .ToArray();
        using var backbone = Backbone.Open(file, threads: 1);
        var recipe = FeatureRecipe.Of(backbone);
        var features = new float[images.Length][];
        await FeatureExtraction.ExtractAsync(backbone, images.Length, (i, cancel) => File.ReadAllBytesAsync(images[i].Path, cancel),
            (i, vector) => features[i] = recipe.Assemble([vector]), (i, refusal) => Assert.Fail($"{images[i].Path}: {refusal.Detail}"),
            TestContext.Current.CancellationToken);
        return new LabelledFeatures(features, [.. images.Select(image => image.Label)], categories);
    }
}
