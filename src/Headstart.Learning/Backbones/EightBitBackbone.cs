using System.Numerics.Tensors;
using System.Security.Cryptography;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;
using Headstart.Learning.Onnx.Quantisation;

namespace Headstart.Learning.Backbones;

/// <summary>
/// Makes the 8-bit form of a backbone: another backbone with an id, a SHA-256 and features of its own, which are nearly those of the
/// network that it was made from. Heads do not care which of two networks made their features as long as it stays the same one.
/// </summary>
public static class EightBitBackbone
{
    /// <summary>What its id ends in.</summary>
    public const string Suffix = "-int8";

    /// <summary>Fewer photographs say too little about the ranges of activations.</summary>
    public const int FewestPhotographs = 20;

    /// <summary>More photographs no longer change the ranges.</summary>
    public const int EnoughPhotographs = 250;

    /// <summary>A smaller gain is not worth a second network.</summary>
    public const double SmallestSpeedup = 1.5;

    /// <summary>
    /// Mean cosine of both networks' features of one photograph, below which heads lose accuracy. See docs/measurements.md: at 0.967 they
    /// lost 2.4 points.
    /// </summary>
    public const double SmallestLikeness = 0.98;

    private const int Rounds = 3;
    private const int HeldOut = 5; // one in so many photographs only compares

    /// <summary>The 8-bit form, not yet in a folder.</summary>
    /// <param name="Manifest">Its description.</param>
    /// <param name="Network">The file.</param>
    /// <param name="Likeness">Mean cosine of its features and those of the network that it was made from, over photographs that set no
    /// range.</param>
    /// <param name="MsPerImage">Milliseconds for one image on one thread of this host.</param>
    /// <param name="Speedup">How many times faster that is.</param>
    public sealed record Result(BackboneManifest Manifest, byte[] Network, double Likeness, double MsPerImage, double Speedup)
    {
        /// <summary>Why it is not worth using here; null where it is.</summary>
        public string? Refusal =>
            Speedup < SmallestSpeedup ? $"it is only {Speedup:0.0} times as fast on this host, and {SmallestSpeedup} times are required"
            : Likeness < SmallestLikeness ? $"its features are only {Likeness:0.000} alike (mean cosine), and {SmallestLikeness} "
                + "is required"
            : null;
    }

    /// <summary>Quantises a backbone and compares the two.</summary>
    /// <param name="of">The backbone.</param>
    /// <param name="photographs">
    /// Image files of many kinds, such as those that it will see; those that cannot be read are left out.
    /// </param>
    /// <param name="workFolder">Where the network may lie while it is compared.</param>
    /// <exception cref="BackboneException">It cannot be quantised, or too few photographs can be read; the message says why.</exception>
    public static Result Make(BackboneFile of, IEnumerable<byte[]> photographs, string workFolder)
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
                images.Where((_, i) => i % HeldOut > 0), p.Size, p.Range);
            var manifest = of.Manifest with
            {
                Id = of.Manifest.Id + Suffix,
                Family = $"{of.Manifest.Family}, 8-bit".TrimStart(',', ' '),
                Source = $"8-bit form of {of.Manifest.Id} ({of.Manifest.Source})",
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(network)),
                Bytes = network.Length,
                Classifier = false,
                Reading = NetworkReading.Usual, // it is in the graph now
                MemoryPerImageMb = null,
                QuantisedFrom = of.Manifest.Sha256,
            };
            return BackboneManifest.IsId(manifest.Id)
                ? Compare(of, manifest, network, [.. images.Where((_, i) => i % HeldOut == 0)], workFolder)
                : throw new BackboneException($"The id '{of.Manifest.Id}' is too long to be followed by {Suffix}.");
        }
        catch (OnnxModelException exception)
        {
            throw new BackboneException($"The backbone '{of.Manifest.Id}' cannot be quantised: {exception.Message}", exception);
        }
    }

    private static Result Compare(BackboneFile of, BackboneManifest manifest, byte[] network, IReadOnlyList<float[]> images, string folder)
    {
        var path = Path.Combine(Directory.CreateDirectory(folder).FullName, $"{Guid.CreateVersion7():n}.upload");
        File.WriteAllBytes(path, network);
        try
        {
            using var before = Backbone.Open(of, threads: 1);
            using var after = Backbone.Open(new(manifest, path), threads: 1);
            var likeness = images.Average(image => (double)TensorPrimitives.CosineSimilarity(
                before.Extract(image, 1)[0], after.Extract(image, 1)[0]));
            var (slow, fast) = (double.PositiveInfinity, double.PositiveInfinity);
            for (var round = 0; round < Rounds; round++) // by turns, as others may use the same cores
            {
                before.Measure();
                after.Measure();
                (slow, fast) = (Math.Min(slow, before.MsPerImage), Math.Min(fast, after.MsPerImage));
            }

            return new(manifest, network, likeness, fast, slow / fast);
        }
        finally
        {
            File.Delete(path);
        }
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
