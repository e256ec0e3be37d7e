using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;

namespace Headstart.Pretraining;

/// <summary>Measures a backbone by training a linear head on its features of a labelled set, as Headstart does.</summary>
public static class LinearProbe
{
    /// <summary>Accuracy of a head that is trained on a set's training images.</summary>
    /// <param name="backbone">The network to measure.</param>
    /// <param name="set">A folder with <c>train</c> and <c>test</c> or <c>val</c>, with one folder per category in each.</param>
    /// <param name="cancel">Cancels the probe.</param>
    /// <returns>Shares of right answers, 0..1: on the test images, and cross-validated on the training images.</returns>
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

    /// <summary>Runs the probe on each set of the settings.</summary>
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
