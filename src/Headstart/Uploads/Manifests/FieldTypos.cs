using Headstart.Uploads.Formats;

namespace Headstart.Uploads.Manifests;

/// <summary>
/// Rows of lists and forms may have fields that we do not know, because other programs write theirs beside ours. One that is nearly ours
/// is a mistake of the sender's, by which a label would be lost and nobody notice.
/// </summary>
internal static class FieldTypos
{
    private static readonly string[] Labels = ["category", "categories"];
    private static readonly string[] Others = ["split", "confirmed", "fileName", "origin"];

    /// <param name="where">The row, as the sentence begins.</param>
    /// <param name="fields">All that the row has.</param>
    /// <returns>Why the row is left out; null where no field is such a one.</returns>
    public static string? In(string where, IReadOnlyCollection<string> fields)
    {
        string[] lacking = [.. (fields.Any(LabelWords.IsLabel) ? [] : Labels).Concat(Others)
            .Where(ours => !fields.Contains(ours, StringComparer.OrdinalIgnoreCase))];
        return fields.Where(field => !LabelWords.IsLabel(field) && !LabelWords.IsImage(field) && !LabelWords.IsSplit(field))
            .Select(field => Sentence(where, field, lacking)).FirstOrDefault(sentence => sentence is not null) is { } typo
                ? $"{typo} It was left out." : null;
    }

    /// <param name="where">What has the field, as the sentence begins.</param>
    /// <param name="ours">Those that it might mean.</param>
    /// <returns>null where it means none of them.</returns>
    public static string? Sentence(string where, string field, params string[] ours) =>
        UnreadableRequests.Meant(field, ours) is { } meant ? $"{where} has a field \"{field}\"; did you mean \"{meant}\"?" : null;
}
