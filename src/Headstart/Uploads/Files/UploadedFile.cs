using Headstart.Data;
using Headstart.Fetching;
using Headstart.Uploads.Boxes;

namespace Headstart.Uploads.Files;

/// <summary>A file of an upload, as it arrived.</summary>
/// <param name="Categories">Its categories as given by the sender; null if none were given. An empty name means that no category
/// applies.</param>
/// <param name="Split">The split given by the sender; null if the content decides.</param>
public sealed record UploadedFile(string FileName, FileContent Content, IReadOnlyList<string>? Categories = null, Split? Split = null)
{
    /// <summary>Its objects, for a detection model; null if the sender does not say.</summary>
    public Drawing? Drawn { get; init; }

    /// <summary>Whether a user has confirmed its categories.</summary>
    public bool Confirmed { get; init; }

    /// <summary>Its source on the web, if the sender names it.</summary>
    public ImageOrigin? Origin { get; init; }

    /// <summary>The file that was downloaded from a URL, or why it was not.</summary>
    public static UploadedFile Of(FetchedFile file) =>
        new(file.FileName, file.Bytes is { } bytes ? new FileContent.Here(bytes) : new FileContent.Unusable(file.Reason!, file.Detail!));

    /// <summary>Null if the file's bytes are not available.</summary>
    public byte[]? Bytes => (Content as FileContent.Here)?.Bytes;

    /// <summary>Why the file is refused; null if it is accepted.</summary>
    public FileContent.Unusable? Unusable => Content as FileContent.Unusable;
}

/// <summary>The content of a file, in one of these forms.</summary>
public abstract record FileContent
{
    private FileContent()
    {
    }

    public static FileContent Of(byte[]? bytes, int maxBytes) => bytes is null
        ? new Unusable("too-large", $"The file is larger than {maxBytes:N0} bytes; send a smaller version.") : new Here(bytes);

    /// <param name="Bytes">The file.</param>
    /// <param name="Origin">Source, author and licence of an image from the web.</param>
    public sealed record Here(byte[] Bytes, ImageOrigin? Origin = null) : FileContent;

    /// <summary>A file that has yet to be downloaded.</summary>
    public sealed record Remote(string Url) : FileContent;

    /// <summary>A file of which only the name is known.</summary>
    public sealed record Unread : FileContent;

    /// <param name="Reason">A stable slug.</param>
    /// <param name="Detail">What is wrong and how to fix it.</param>
    public sealed record Unusable(string Reason, string Detail) : FileContent;
}
