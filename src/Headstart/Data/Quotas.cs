namespace Headstart.Data;

/// <summary>What an account may have or do only so much of.</summary>
public enum Quota
{
    /// <summary>Examples in all of its models: images, and texts too.</summary>
    Images,

    /// <summary>Of these.</summary>
    Bytes,

    Models,

    /// <summary>Images and texts answered on one day (UTC), those of batches included.</summary>
    PredictionsPerDay,

    /// <summary>Training runs that wait or work.</summary>
    ConcurrentRuns,
}

/// <summary>How much; null is no limit.</summary>
public sealed record Quotas(long? Images = null, long? Bytes = null, long? Models = null, long? PredictionsPerDay = null, long? ConcurrentRuns = null)
{
    public long? this[Quota quota] => quota switch
    {
        Quota.Images => Images,
        Quota.Bytes => Bytes,
        Quota.Models => Models,
        Quota.PredictionsPerDay => PredictionsPerDay,
        _ => ConcurrentRuns,
    };

    /// <summary>The first that makes no sense; null when all do.</summary>
    internal Quota? Negative() => Enum.GetValues<Quota>().Where(quota => this[quota] < 0).Select(quota => (Quota?)quota).FirstOrDefault();
}
