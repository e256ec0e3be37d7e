using Headstart.Backbones;
using Headstart.Similarity;

namespace Headstart.Training;

/// <summary>Computes shards of the images of other workers' runs: feature vectors and fingerprints.</summary>
public sealed class ExtractionHelp(ExtractionShards shards, FeatureCache features, Fingerprints prints, LoadedBackbones loaded)
{
    /// <summary>Whether this host has a run of its own, which needs its cores.</summary>
    public bool IsLeading => shards.IsLeading;

    /// <summary>Computes one shard.</summary>
    /// <returns>false if there was none to compute.</returns>
    public async Task<bool> HelpAsync(CancellationToken stopping)
    {
        var here = loaded.All.ToDictionary(b => b.FeatureSpace);
        if (await shards.ClaimAsync([.. here.Keys, Fingerprints.Space], null, stopping) is not { } shard)
        {
            return false;
        }

        await (shard.Space == Fingerprints.Space ? prints.ComputeAsync(shard.Images, stopping)
            : features.ComputeAsync(here[shard.Space], shard.Images, null, stopping));
        await shards.DoneAsync(shard, stopping);
        return true;
    }
}
