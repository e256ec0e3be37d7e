using Headstart.Uploads.Formats;

namespace Headstart.Uploads.Manifests;

/// <summary>
/// Rows of lists and forms may have unknown fields, because other programs add their own. A field that is almost one of ours is a typing
/// mistake, by which a label would be lost unnoticed.
/// </summary>
internal static class FieldTypos
{
    private static readonly string[] Labels = ["category", "categories"];
    private static readonly string[] Others = ["split", "confirmed", "fileName", "origin"];

    /// <param name="where">The row, as the beginning of the sentence.</param>
    /// <param name="fields">All fields of the row.</param>
    /// <returns>Why the row is left out; null if no field is a mistake.</returns>
    public static string? In(string where, IReadOnlyCollection<string> fields)
    {
        string[] lacking = [.. (fields.Any(LabelWords.IsLabel) ? [] : Labels).Concat(Others)
            .Where(ours => !fields.Contains(ours, StringComparer.OrdinalIgnoreCase))];
        return fields.Where(field => !LabelWords.IsLabel(field) && !LabelWords.IsImage(field) && !LabelWords.IsSplit(field))
            .Select(field => Sentence(where, field, lacking)).FirstOrDefault(sentence => sentence is not null) is { } typo
                ? $"{typo} It was left out." : null;
    }

    /// <param name="where">What has the field, as the beginning of the sentence.</param>
    /// <param name="ours">Fields that it might mean.</param>
    /// <returns>null if it means none of them.</returns>
    public static string? Sentence(string where, string field, params string[] ours) =>
        UnreadableRequests.Meant(field, ours) is { } meant ? $"{where} has a field \"{field}\"; did you mean \"{meant}\"?" : null;
}
