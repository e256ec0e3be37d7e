using Headstart.Learning.Backbones;
using Headstart.Operations;
using Microsoft.Extensions.Caching.Memory;

namespace Headstart.Predictions;

/// <summary>
/// Feature vectors of images that were predicted lately, whatever the model: the same photograph is answered without a forward pass. Found by SHA-256, which takes
/// a twentieth of a millisecond for 100 kB beside some ten for the forward pass, so it does no harm where nothing repeats. The vectors in the
/// database, of training images, are not asked: a round trip for every prediction would cost more than it saves, as hardly anybody predicts
/// what he has labelled. Predictions are not written there either; strangers could fill the disk.
/// </summary>
public sealed class FeatureMemory(Settings settings, Telemetry telemetry) : IDisposable
{
    private const int Overhead = 400; // of an entry, its key and its array, about

    private readonly MemoryCache _vectors = new(new MemoryCacheOptions { SizeLimit = settings.Predictions.FeatureCacheBytes });

    /// <summary>The whole feature vector of the image, or null where it is not known.</summary>
    /// <param name="backbone">Whose.</param>
    /// <param name="sha256">Of the file, in hexadecimal digits.</param>
    public float[]? Find(Backbone backbone, string sha256)
    {
        var vector = _vectors.Get<float[]>((sha256, backbone.FeatureSpace));
        telemetry.LookedForFeatures(backbone.Manifest.Id, hit: vector is not null);
        return vector;
    }

    public void Keep(Backbone backbone, string sha256, float[] vector) =>
        _vectors.Set((sha256, backbone.FeatureSpace), vector, new MemoryCacheEntryOptions { Size = Overhead + sizeof(float) * vector.Length });

    public void Dispose() => _vectors.Dispose();
}
