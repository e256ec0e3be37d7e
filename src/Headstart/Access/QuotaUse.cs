using System.Text.Json;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Access;

/// <param name="Limit">Null where there is none.</param>
/// <param name="Used">Of it.</param>
public sealed record QuotaUse(Quota Quota, long? Limit, long Used)
{
    /// <summary>Those of an account that is made without any.</summary>
    public static Quotas Usual(QuotaSettings settings) =>
        new(settings.Images, settings.Bytes, settings.Models, settings.PredictionsPerDay, settings.ConcurrentRuns);

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
