using System.Text.Json;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Access;

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

/// <summary>The quotas of accounts that are made without any; none by default. The installation's first account has none.</summary>
public sealed class QuotaSettings
{
    public long? Images { get; set; }

    public long? Bytes { get; set; }

    public long? Models { get; set; }

    public long? PredictionsPerDay { get; set; }

    public long? ConcurrentRuns { get; set; }

    public Quotas ToQuotas() => new(Images, Bytes, Models, PredictionsPerDay, ConcurrentRuns);

    internal string? Problem() => ToQuotas().Negative() is { } quota ? $"Headstart:Quotas:{quota} must not be negative; leave it out for no limit." : null;
}

/// <param name="Limit">Null where there is none.</param>
/// <param name="Used">Of it.</param>
public sealed record QuotaUse(Quota Quota, long? Limit, long Used)
{
    /// <summary>As in JSON and in headers.</summary>
    internal string Name => JsonNamingPolicy.CamelCase.ConvertName(Quota.ToString());

    /// <summary>What to do when it is used up.</summary>
    internal string Sentence => Quota switch
    {
        Quota.Images => $"Your account may store {Limit:N0} images and texts and has {Used:N0}: delete some, {Else}",
        Quota.Bytes => $"Your account may store {Limit:N0} bytes of images, texts and files of batches and has {Used:N0}, so this does not fit: delete some, {Else}",
        Quota.Models => $"Your account may have {Limit:N0} models and has {Used:N0}: delete one, {Else}",
        Quota.PredictionsPerDay => $"Your account may ask for {Limit:N0} predictions a day and has asked for {Used:N0}: go on after midnight UTC, {Else}",
        _ => $"Your account may have {Limit:N0} training runs that wait or work and has {Used:N0}: wait for the end of one, cancel one, {Else}",
    };

    private const string Else = "or ask who runs this host for a larger quota (GET /api/v1/usage shows yours).";

    /// <summary>402 for what is stored, which stays so until something is deleted; 429 for what passes by itself.</summary>
    internal ProblemHttpResult Problem(params IEnumerable<(string Key, object? Value)> more) => Problems.Of(
        Quota is Quota.PredictionsPerDay or Quota.ConcurrentRuns ? StatusCodes.Status429TooManyRequests : StatusCodes.Status402PaymentRequired,
        "quota-exceeded", Sentence, [("quota", Name), ("limit", Limit), ("used", Used), .. more]);
}
