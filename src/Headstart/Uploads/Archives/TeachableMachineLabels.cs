using System.Globalization;
using System.Text.RegularExpressions;
using Headstart.Data;
using Headstart.Uploads.Formats;

namespace Headstart.Uploads.Archives;

/// <summary>
/// A project that Teachable Machine has saved as a file: next to <c>manifest.json</c> are its samples, named by class and number,
/// <c>Class 1-!-0.jpg</c>. GenAI Teachable Machine names them by the number of the class, <c>samples/0_12.png</c>; the class names are in
/// <c>metadata.json</c>.
/// </summary>
internal sealed partial class TeachableMachineLabels : ArchiveLabels
{
    private readonly Dictionary<ArchiveFile, string> _classes = new(ReferenceEqualityComparer.Instance);

    private TeachableMachineLabels(IEnumerable<ArchiveFile> examples) => Examples = [.. examples];

    public override IReadOnlyList<ArchiveFile> Examples { get; }

    /// <returns>null if it is not such a project.</returns>
    /// <exception cref="RefusedException">It is a project of sounds, or a class has no name.</exception>
    public static async Task<TeachableMachineLabels?> FindAsync(Archive archive, ModelKind kind, CancellationToken cancel)
    {
        // It is above all others, perhaps in an enclosing folder.
        var about = archive.Files.Where(file => PathOf(file).Split('/')[^1] is "manifest.json" or "metadata.json")
            .OrderBy(file => PathOf(file).Count(c => c == '/')).FirstOrDefault();
        if (kind.HasBoxes() || about is null || (await Archive.ReadAsync(about, Annotation.MaxBytes, cancel)).Bytes is not { } bytes)
        {
            return null;
        }

        var text = new Annotation(PathOf(about), bytes);
        return text.Json is not { IsList: false } shape ? null
            : text.Name == "manifest.json" && shape.Has("type", "appdata") ? Saved(archive, about, text)
            : text.Name == "metadata.json" && shape.Has("labels") ? Numbered(archive, text) : null;
    }

    public override FileLabels Of(ArchiveFile file) => SafePath.Parts(file.Name) is null ? SafePath.Refused
        : _classes.GetValueOrDefault(file) is { } name ? new([RequestBodies.Readable(name)], null)
        : FileLabels.Not("missing-category", "The file is in a project of Teachable Machine, but its name does not say its class "
            + "(Class 1-!-0.jpg); put it into a folder named after its category and send that.");

    private static TeachableMachineLabels? Saved(Archive archive, ArchiveFile manifest, Annotation text)
    {
        if (text.Parse<Manifest>("a project of Teachable Machine").Type?.Contains("audio", StringComparison.OrdinalIgnoreCase) is true)
        {
            throw RefusedException.Invalid("unsupported-project", "This project of Teachable Machine has sounds, and Headstart learns from "
                + "images and texts. Nothing was added.");
        }

        var labels = new TeachableMachineLabels(archive.Files.Where(file => file != manifest));
        foreach (var file in labels.Examples)
        {
            if (Sample().Match(Below(text, file)) is { Success: true } name)
            {
                labels._classes.Add(file, name.Groups[1].Value);
            }
        }

        return labels._classes.Count > 0 ? labels : null;
    }

    private static TeachableMachineLabels? Numbered(Archive archive, Annotation text)
    {
        var samples = archive.Files.Select(file => (File: file, Name: NumberedSample().Match(Below(text, file))))
            .Where(sample => sample.Name.Success).ToList();
        if (samples.Count == 0)
        {
            return null;
        }

        var names = text.Parse<Metadata>("a project of GenAI Teachable Machine").Labels ?? [];
        var labels = new TeachableMachineLabels(samples.Select(sample => sample.File));
        foreach (var (file, name) in samples)
        {
            labels._classes.Add(file, int.Parse(name.Groups[1].Value, CultureInfo.InvariantCulture) is var number && number < names.Count
                ? names[number] : throw text.Broken("a project of GenAI Teachable Machine", $"class {number} has no name"));
        }

        return labels;
    }

    /// <summary>The path relative to the folder of the project's description; empty for a file elsewhere.</summary>
    private static string Below(Annotation text, ArchiveFile file) =>
        PathOf(file).StartsWith(text.Folder, StringComparison.Ordinal) ? PathOf(file)[text.Folder.Length..] : "";

    private static string PathOf(ArchiveFile file) => string.Join('/', SafePath.Parts(file.Name) ?? []);

    private sealed record Manifest(string? Type);

    private sealed record Metadata(List<string>? Labels);

    [GeneratedRegex(@"^(.+)-!-\d{1,9}\.[A-Za-z0-9]+$", RegexOptions.Singleline)]
    private static partial Regex Sample();

    [GeneratedRegex(@"^samples/(\d{1,6})_\d{1,9}\.[A-Za-z0-9]+$")]
    private static partial Regex NumberedSample();
}
