using Headstart.Data;
using Headstart.Fetching;

namespace Headstart.Uploads;

/// <summary>A file of an upload, as it came.</summary>
/// <param name="Categories">What it shows, as its sender said; null where nothing was said. An empty name says that it shows none.</param>
/// <param name="Split">The side that its sender gave it; null where the content decides.</param>
public sealed record UploadedFile(string FileName, FileContent Content, IReadOnlyList<string>? Categories = null, Split? Split = null)
{
    /// <summary>One that was fetched before anybody looks at it.</summary>
    public static UploadedFile Of(FetchedFile file) => new(file.FileName, file.Bytes is { } bytes ? new FileContent.Here(bytes) : new FileContent.Unusable(file.Reason!, file.Detail!));

    /// <summary>Null for a file that is not here.</summary>
    public byte[]? Bytes => (Content as FileContent.Here)?.Bytes;

    /// <summary>Why it cannot be taken; null for a file that can.</summary>
    public FileContent.Unusable? Unusable => Content as FileContent.Unusable;
}

/// <summary>What there is of a file: one of these.</summary>
public abstract record FileContent
{
    private FileContent()
    {
    }

    public static FileContent Of(byte[]? bytes, int maxBytes) => bytes is null
        ? new Unusable("too-large", $"The file is larger than {maxBytes:N0} bytes; send a smaller version of it.") : new Here(bytes);

    /// <param name="Bytes">The file.</param>
    /// <param name="Origin">Of one that came from the web.</param>
    public sealed record Here(byte[] Bytes, ImageOrigin? Origin = null) : FileContent;

    /// <summary>It has still to be fetched.</summary>
    public sealed record Remote(string Url) : FileContent;

    /// <param name="Reason">A stable slug.</param>
    /// <param name="Detail">What is wrong and what to do.</param>
    public sealed record Unusable(string Reason, string Detail) : FileContent;
}
