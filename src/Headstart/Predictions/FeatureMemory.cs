using Headstart.Learning.Backbones;
using Microsoft.Extensions.Caching.Memory;

namespace Headstart.Predictions;

/// <summary>
/// Feature vectors of recently predicted images, for all models: the same photograph is predicted again without a forward pass. The key is
/// the SHA-256, which takes 0.05 ms for 100 kB against about 10 ms for the forward pass, so the cache costs little if nothing repeats. The
/// vectors of training images in the database are not queried: a round trip per prediction would cost more than it saves, since labelled
/// images are rarely predicted. Predictions are not written there either, or strangers could fill the disk.
/// </summary>
public sealed class FeatureMemory(Settings settings, Telemetry telemetry) : IDisposable
{
    private const int Overhead = 400; // approximate bytes of an entry's key and array

    private readonly MemoryCache _vectors = new(new MemoryCacheOptions { SizeLimit = settings.Predictions.FeatureCacheBytes });

    /// <summary>The whole feature vector of the image, or null if it is not cached.</summary>
    /// <param name="backbone">The backbone of the features.</param>
    /// <param name="sha256">Hexadecimal SHA-256 of the file.</param>
    public float[]? Find(Backbone backbone, string sha256)
    {
        var vector = _vectors.Get<float[]>((sha256, backbone.FeatureSpace));
        telemetry.LookedForFeatures(backbone.Manifest.Id, hit: vector is not null);
        return vector;
    }

    public void Keep(Backbone backbone, string sha256, float[] vector) =>
        _vectors.Set((sha256, backbone.FeatureSpace), vector,
            new MemoryCacheEntryOptions { Size = Overhead + sizeof(float) * vector.Length });

    public void Dispose() => _vectors.Dispose();
}
