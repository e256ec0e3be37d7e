using Headstart.Data;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Archives;

/// <summary>What an archive says about one of its files before that is read.</summary>
/// <param name="Categories">Null if none is known.</param>
/// <param name="Split">Null if its content decides.</param>
/// <param name="Refused">Why the file cannot be used; null if it can.</param>
/// <param name="Row">The row of our own table about the file.</param>
internal sealed record FileLabels(IReadOnlyList<string>? Categories, Split? Split, FileContent.Unusable? Refused = null,
    NewImage? Row = null)
{
    /// <summary>Its objects; null if nothing names any.</summary>
    public Drawing? Drawn { get; init; }

    public static FileLabels Not(string reason, string detail) => new(null, null, new(reason, detail));
}

/// <summary>
/// Says what the files of an archive show. Each kind of archive is a subclass, which looks at the names of all files (and may read some of
/// them, such as a table) and either understands the whole archive or leaves it to the next. <see cref="OfAsync"/> asks them in turn.
/// </summary>
internal abstract class ArchiveLabels
{
    /// <summary>The files that may be examples: all except those that only describe others.</summary>
    public abstract IReadOnlyList<ArchiveFile> Examples { get; }

    /// <summary>What a file shows.</summary>
    /// <param name="file">One of <see cref="Examples"/>.</param>
    public abstract FileLabels Of(ArchiveFile file);

    /// <summary>What the sender should know, as sentences.</summary>
    public virtual IReadOnlyList<string> Notices => [];

    /// <summary>Files that are described but missing, always in the same order.</summary>
    public virtual IReadOnlyList<UploadedFile> Missing => [];

    /// <summary>The first kind that understands the archive.</summary>
    /// <param name="archive">Open.</param>
    /// <param name="kind">Kind of the model.</param>
    /// <param name="categories">The names of the model's categories.</param>
    /// <param name="limits">Limits for tables.</param>
    /// <exception cref="RefusedException">It is not certain what the files show.</exception>
    public static async Task<ArchiveLabels> OfAsync(Archive archive, ModelKind kind, IReadOnlyCollection<string> categories,
        UploadSettings limits, CancellationToken cancel)
    {
        if (await ManifestLabels.FindAsync(archive, kind, limits, cancel) is { } table)
        {
            return table;
        }

        if (await TeachableMachineLabels.FindAsync(archive, kind, cancel) is { } project)
        {
            return project;
        }

        var export = await AnnotationLabels.ReadAsync(archive.Files, kind, categories, limits, cancel);
        return export.HasLabels || kind.HasBoxes() ? export : export.OrFolders(new(export.Examples, categories));
    }
}
