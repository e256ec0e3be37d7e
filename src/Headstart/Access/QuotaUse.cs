using System.Text.Json;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Access;

/// <param name="Limit">null for no limit.</param>
/// <param name="Used">How much of it is used.</param>
public sealed record QuotaUse(Quota Quota, long? Limit, long Used)
{
    /// <summary>Whether the bodies of unfinished imports use it.</summary>
    internal bool OfImports { get; init; }

    /// <summary>The quotas of an account that is created without any.</summary>
    public static Quotas Usual(QuotaSettings settings) =>
        new(settings.Images, settings.Bytes, settings.Models, settings.PredictionsPerDay, settings.ConcurrentRuns);

    /// <summary>The quota's name in JSON and in headers.</summary>
    internal string Name => JsonNamingPolicy.CamelCase.ConvertName(Quota.ToString());

    /// <summary>States how much is used and what to do.</summary>
    internal string Sentence => Quota switch
    {
        Quota.Images => $"Your account stores {Used:N0} of {Limit:N0} images and texts: delete some, {Else}",
        Quota.Bytes when OfImports => $"The unfinished imports of your account have uploads of {Used:N0} bytes, and with this one they "
            + $"would exceed {Limit:N0}: wait for one to end, send the files in smaller parts, {Else}",
        Quota.Bytes => $"Your account stores {Used:N0} of {Limit:N0} bytes of images, texts and batch files, so this does not fit: delete "
            + $"some, {Else}",
        Quota.Models => $"Your account has {Used:N0} of {Limit:N0} models: delete one, {Else}",
        Quota.PredictionsPerDay => $"Your account has used {Used:N0} of {Limit:N0} predictions today: try again after midnight UTC, {Else}",
        _ => $"Your account has {Used:N0} of {Limit:N0} training runs queued or running: wait for one to end, cancel one, {Else}",
    };

    private const string Else = "or ask the operator for a larger quota (GET /api/v1/usage shows your quotas).";

    /// <summary>402 for stored data, which counts until it is deleted; 429 for limits that free up over time.</summary>
    internal ProblemHttpResult Problem(params IEnumerable<(string Key, object? Value)> more) => Problems.Of(
        Quota is Quota.PredictionsPerDay or Quota.ConcurrentRuns ? StatusCodes.Status429TooManyRequests
        : StatusCodes.Status402PaymentRequired,
        "quota-exceeded", Sentence, [("quota", Name), ("limit", Limit), ("used", Used), .. more]);
}
