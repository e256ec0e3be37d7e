using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;

namespace Headstart.Pretraining;

/// <summary>How good a backbone is: a linear head on frozen features of a labelled set, the way Headstart itself trains one.</summary>
public static class LinearProbe
{
    /// <summary>Accuracy on a set's own test images, of a head trained on its training images.</summary>
    /// <param name="backbone">The network to judge.</param>
    /// <param name="set">A folder with <c>train</c> and <c>test</c> or <c>val</c>, and in each a folder a category.</param>
    /// <param name="cancel">Ends the work.</param>
    /// <returns>Share of test images that the head gets right, and the cross-validated one of the training images, 0..1.</returns>
    public static async Task<(double Test, double CrossValidated)> RunAsync(Backbone backbone, string set, CancellationToken cancel)
    {
        var categories = Directory.GetDirectories(Path.Combine(set, "train")).Select(folder => Path.GetFileName(folder)!)
            .Order(StringComparer.Ordinal).ToList();
        var training = await ReadAsync(backbone, Path.Combine(set, "train"), categories, cancel);
        var test = Directory.Exists(Path.Combine(set, "test")) ? "test" : "val";
        var unseen = await ReadAsync(backbone, Path.Combine(set, test), categories, cancel);
        var validation = HeadTraining.CrossValidate(training, seed: 1, cancel);
        var head = HeadTraining.Train(training, validation.Method, cancel);
        var right = Enumerable.Range(0, unseen.Count).Count(i => Best(head.Probabilities(unseen.Features[i])) == unseen.Labels[i]);
        return ((double)right / unseen.Count, validation.Accuracy ?? double.NaN);
    }

    /// <summary>The probe on each of the settings' sets.</summary>
    public static List<Figure> Figures(string path, PretrainingSettings settings, Progress progress, CancellationToken cancel)
    {
        var file = BackboneFolders.Find([Path.GetDirectoryName(path)!]).Found.Single(file => file.Path == path);
        using var backbone = Backbone.Open(file, threads: 1);
        var figures = settings.Probes.Split(',').Select(set =>
        {
            var (test, crossValidated) = RunAsync(backbone, set, cancel).GetAwaiter().GetResult();
            return new Figure(Path.GetFileName(Path.TrimEndingDirectorySeparator(set)), test, crossValidated);
        }).ToList();
        progress.Say(string.Join(", ", figures.Select(figure => $"{figure.Set} {figure.Test:0.000}"))
            + $"; mean {figures.Average(figure => figure.Test):0.000} (cross-validated "
            + $"{figures.Average(figure => figure.CrossValidated):0.000})");
        return figures;
    }

    private static int Best(float[] probabilities) => Array.IndexOf(probabilities, probabilities.Max());

    private static async Task<LabelledFeatures> ReadAsync(Backbone backbone, string folder, List<string> categories,
        CancellationToken cancel)
    {
        var files = categories.SelectMany((category, label) => Directory.GetFiles(Path.Combine(folder, category))
            .Order(StringComparer.Ordinal).Select(path => (path, label))).ToList();
        var features = new float[]?[files.Count];
        var recipe = FeatureRecipe.Of(backbone);
        await FeatureExtraction.ExtractAsync(backbone, files.Count, (i, token) => File.ReadAllBytesAsync(files[i].path, token),
            (i, vector) => features[i] = recipe.Assemble([vector]), (_, _) => { }, cancel);
        var read = Enumerable.Range(0, files.Count).Where(i => features[i] is not null).ToList();
        return new LabelledFeatures([.. read.Select(i => features[i]!)], [.. read.Select(i => files[i].label)], categories);
    }
}
