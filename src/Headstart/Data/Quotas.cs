namespace Headstart.Data;

/// <summary>What an account's quotas limit.</summary>
public enum Quota
{
    /// <summary>Examples in all models of the account: images and texts.</summary>
    Images,

    /// <summary>Bytes of these examples and of batch files.</summary>
    Bytes,

    Models,

    /// <summary>Images and texts predicted per day (UTC), including batches.</summary>
    PredictionsPerDay,

    /// <summary>Training runs that are queued or running.</summary>
    ConcurrentRuns,
}

/// <summary>Limits of an account; null means unlimited.</summary>
public sealed record Quotas(long? Images = null, long? Bytes = null, long? Models = null, long? PredictionsPerDay = null,
    long? ConcurrentRuns = null)
{
    public long? this[Quota quota] => quota switch
    {
        Quota.Images => Images,
        Quota.Bytes => Bytes,
        Quota.Models => Models,
        Quota.PredictionsPerDay => PredictionsPerDay,
        _ => ConcurrentRuns,
    };

    /// <summary>The first negative quota, or null.</summary>
    internal Quota? Negative() => Enum.GetValues<Quota>().Where(quota => this[quota] < 0).Select(quota => (Quota?)quota).FirstOrDefault();
}
