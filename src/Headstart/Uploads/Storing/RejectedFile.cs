using System.Text.Json.Serialization;
using Headstart.Access;

namespace Headstart.Uploads.Storing;

/// <param name="Reason">A stable slug, such as <c>damaged</c> or <c>unknown-category</c>.</param>
/// <param name="Detail">What is wrong and how to fix it.</param>
public sealed record RejectedFile(string? FileName, string Reason, string Detail)
{
    /// <summary>Set if the account's storage quota has no room for it.</summary>
    [JsonIgnore]
    public QuotaUse? Exceeded { get; init; }

    internal static RejectedFile TooMuch(string? fileName, QuotaUse exceeded) =>
        new(fileName, "quota-exceeded", exceeded.Sentence) { Exceeded = exceeded };
}
