using System.Numerics.Tensors;
using System.Security.Cryptography;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;
using Headstart.Learning.Onnx.Quantisation;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Backbones;

/// <summary>Makes the 8-bit form of a backbone: another backbone with its own id, SHA-256 and features, which are nearly those of the
/// original. Heads work with either, as long as it stays the same one.</summary>
public static class EightBitBackbone
{
    /// <summary>Suffix of its id.</summary>
    public const string Suffix = "-int8";

    /// <summary>Fewer photographs do not show the ranges of activations.</summary>
    public const int FewestPhotographs = 20;

    /// <summary>More photographs no longer change the ranges.</summary>
    public const int EnoughPhotographs = 250;

    /// <summary>A smaller gain is not worth a second network.</summary>
    public const double SmallestSpeedup = 1.5;

    /// <summary>Mean cosine of both networks' features of one photograph below which heads lose accuracy. See docs/measurements.md: at
    /// 0.967 they lost 2.4 points.</summary>
    public const double SmallestLikeness = 0.98;

    /// <summary>With fewer photographs a loss of accuracy cannot be measured.</summary>
    public const int FewestLabelled = 200;

    /// <summary>Allowed loss of accuracy, as a share of all photographs.</summary>
    public const double LargestLoss = 0.003;

    private const int Rounds = 3;
    private const int HeldOut = 5; // one in this many photographs is only used for the comparison

    /// <summary>The 8-bit form, not yet in a folder.</summary>
    /// <param name="Manifest">Its description.</param>
    /// <param name="Network">The file.</param>
    /// <param name="Likeness">Mean cosine between its features and the original's, over photographs that were not used for
    /// calibration.</param>
    /// <param name="MsPerImage">Milliseconds for one image on one thread of this host.</param>
    /// <param name="Speedup">The original's time divided by its own.</param>
    /// <param name="Loss">Loss of accuracy on labelled photographs, as a share of them (<see cref="CategoryMeans"/>); below 0 if it is
    /// better, null if too few were given.</param>
    public sealed record Result(BackboneManifest Manifest, byte[] Network, double Likeness, double MsPerImage, double Speedup,
        double? Loss = null)
    {
        /// <summary>Why it is not worth using here; null if it is.</summary>
        public string? Refusal =>
            Speedup < SmallestSpeedup ? $"it is only {Speedup:0.0} times as fast on this host, and {SmallestSpeedup} times are required"
            : Likeness < SmallestLikeness ? $"its features are only {Likeness:0.000} alike (mean cosine), and {SmallestLikeness} "
                + "is required"
            : Loss > LargestLoss ? $"it is {100 * Loss:0.0} points less accurate on photographs of this host, and {100 * LargestLoss} are "
                + "allowed"
            : null;
    }

    /// <summary>Quantises a backbone and compares the two.</summary>
    /// <param name="of">The backbone.</param>
    /// <param name="photographs">Varied image files, like those that it will see; unreadable ones are left out.</param>
    /// <param name="workFolder">Folder for the network during the comparison.</param>
    /// <param name="labelled">Photographs on which both are compared as classifiers, if there are at least
    /// <see cref="FewestLabelled"/>.</param>
    /// <param name="giveWay">Called before each photograph; may block while others need the core.</param>
    /// <exception cref="BackboneException">It cannot be quantised, or too few photographs can be read; the message says why.</exception>
    public static Result Make(BackboneFile of, IEnumerable<byte[]> photographs, string workFolder,
        IReadOnlyList<LabelledPhotograph>? labelled = null, Action? giveWay = null)
    {
        ArgumentNullException.ThrowIfNull(of);
        ArgumentNullException.ThrowIfNull(photographs);
        var p = of.Manifest.Preprocessing;
        var images = photographs.Select(file => Read(file, p)).OfType<float[]>().Take(EnoughPhotographs).ToList();
        if (images.Count < FewestPhotographs)
        {
            throw new BackboneException(
                $"Only {images.Count} photographs can be read; give at least {FewestPhotographs}, better {EnoughPhotographs}.");
        }

        try
        {
            var graph = OnnxGraph.Read(of.Path, of.Manifest.Reading);
            var network = Quantiser.Quantise(graph.Cut(of.Manifest.Classifier ? graph.FindFeatures() : graph.OutputFeatures()),
                images.Where((_, i) => i % HeldOut > 0).Select(Patiently), p.Size, p.Range);
            var manifest = of.Manifest with
            {
                Id = of.Manifest.Id + Suffix,
                Family = $"{of.Manifest.Family}, 8-bit".TrimStart(',', ' '),
                Source = $"8-bit form of {of.Manifest.Id} ({of.Manifest.Source})",
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(network)),
                Bytes = network.Length,
                Classifier = false,
                Reading = NetworkReading.Usual, // now part of the graph
                MemoryPerImageMb = null,
                QuantisedFrom = of.Manifest.Sha256,
            };
            return BackboneManifest.IsId(manifest.Id)
                ? Compare(of, new(manifest, network, 0, 0, 0), [.. images.Where((_, i) => i % HeldOut == 0)], workFolder,
                    labelled?.Count >= FewestLabelled ? labelled.Select(Patiently) : [])
                : throw new BackboneException($"The id '{of.Manifest.Id}' is too long to be followed by {Suffix}.");
        }
        catch (Exception exception) when (exception is OnnxModelException or OnnxRuntimeException)
        {
            throw new BackboneException($"The backbone '{of.Manifest.Id}' cannot be quantised: {exception.Message.TrimEnd('.')}.",
                exception);
        }

        T Patiently<T>(T image)
        {
            giveWay?.Invoke();
            return image;
        }
    }

    private static Result Compare(BackboneFile of, Result made, IReadOnlyList<float[]> images, string folder,
        IEnumerable<LabelledPhotograph> labelled)
    {
        var path = Path.Combine(Directory.CreateDirectory(folder).FullName, $"{Guid.CreateVersion7():n}.upload");
        File.WriteAllBytes(path, made.Network);
        try
        {
            using var before = Backbone.Open(of, threads: 1);
            using var after = Backbone.Open(new(made.Manifest, path), threads: 1);
            var likeness = images.Average(image => (double)TensorPrimitives.CosineSimilarity(
                before.Extract(image, 1)[0], after.Extract(image, 1)[0]));
            var (slow, fast) = (double.PositiveInfinity, double.PositiveInfinity);
            for (var round = 0; round < Rounds; round++) // alternating, because others may use the same cores
            {
                before.Measure();
                after.Measure();
                (slow, fast) = (Math.Min(slow, before.MsPerImage), Math.Min(fast, after.MsPerImage));
            }

            return made with { Likeness = likeness, MsPerImage = fast, Speedup = slow / fast, Loss = Loss(before, after, labelled) };
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>null if there are no photographs that both can read.</summary>
    private static double? Loss(Backbone before, Backbone after, IEnumerable<LabelledPhotograph> labelled)
    {
        var (originals, quantised) = (FeatureRecipe.Of(before), FeatureRecipe.Of(after));
        var (seen, originalVectors, quantisedVectors) = (new List<LabelledPhotograph>(), new List<float[]>(), new List<float[]>());
        foreach (var photograph in labelled)
        {
            if (photograph.Read() is { } file && Read(file, before.Manifest.Preprocessing) is { } image)
            {
                seen.Add(photograph);
                originalVectors.Add(originals.Assemble(before.Extract(image, 1)));
                quantisedVectors.Add(quantised.Assemble(after.Extract(image, 1)));
            }
        }

        return seen.Count == 0 ? null : CategoryMeans.Accuracy(seen, originalVectors) - CategoryMeans.Accuracy(seen, quantisedVectors);
    }

    private static float[]? Read(byte[] file, Preprocessing p)
    {
        var image = new float[p.Length];
        try
        {
            ImageReader.Preprocess(file, p, image);
            return image;
        }
        catch (ImageRefusedException)
        {
            return null;
        }
    }
}
