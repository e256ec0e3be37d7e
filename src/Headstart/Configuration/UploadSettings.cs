using Headstart.Learning.Imaging;

namespace Headstart.Configuration;

/// <summary>Limits of an upload.</summary>
public sealed class UploadSettings
{
    public int MaxFileBytes { get; set; } = 50 << 20;

    public long MaxPixels { get; set; } = 250_000_000;

    /// <summary>Maximum number of files in a request that is answered at once; the files before the limit are kept.</summary>
    public int MaxFiles { get; set; } = 5_000;

    /// <summary>An archive or manifest with more files becomes an import, which runs in the background.</summary>
    public int AtOnceFiles { get; set; } = 500;

    /// <summary>An upload with more URLs to download also becomes an import.</summary>
    public int AtOnceUrls { get; set; } = 20;

    /// <summary>A larger upload also becomes an import.</summary>
    public long AtOnceBytes { get; set; } = 256 << 20;

    /// <summary>The largest archive, or form that becomes an import.</summary>
    public long MaxZipBytes { get; set; } = 4L << 30;

    /// <summary>Files in one archive.</summary>
    public int MaxZipFiles { get; set; } = 100_000;

    /// <summary>Total unpacked bytes of the files in an archive.</summary>
    public long MaxUnpackedBytes { get; set; } = 16L << 30;

    /// <summary>The largest manifest: JSON, JSON Lines or CSV, including files embedded as base64.</summary>
    public long MaxManifestBytes { get; set; } = 1L << 30;

    /// <summary>Rows in one manifest, and texts in one request.</summary>
    public int MaxRows { get; set; } = 100_000;

    /// <summary>Maximum size of one text in UTF-8.</summary>
    public int MaxTextBytes { get; set; } = 100_000;

    /// <summary>Maximum size in UTF-8 of all texts of a request together.</summary>
    public long MaxTextsBytes { get; set; } = 64 << 20;

    /// <summary>Time limit for an import.</summary>
    public double MaxImportSeconds { get; set; } = 24 * 60 * 60;

    internal ImageLimits ImageLimits => new() { MaxBytes = MaxFileBytes, MaxPixels = MaxPixels };

    internal string? Problem() =>
        MaxFileBytes is < 1 or > 1 << 30 ? "Headstart:Uploads:MaxFileBytes must be between 1 and 1073741824 (1 GiB)."
        : MaxFiles < 1 ? "Headstart:Uploads:MaxFiles must be at least 1."
        : MaxPixels < 1 ? "Headstart:Uploads:MaxPixels must be at least 1."
        : AtOnceFiles < 0 ? "Headstart:Uploads:AtOnceFiles must not be negative."
        : AtOnceFiles > MaxFiles ? $"Headstart:Uploads:AtOnceFiles must be at most {MaxFiles} (Headstart:Uploads:MaxFiles), the limit "
            + "for one request."
        : AtOnceUrls < 0 ? "Headstart:Uploads:AtOnceUrls must not be negative."
        : AtOnceBytes < 0 ? "Headstart:Uploads:AtOnceBytes must not be negative."
        : MaxZipBytes < 1 ? "Headstart:Uploads:MaxZipBytes must be at least 1."
        : MaxZipFiles is < 1 or > 1_000_000 ? "Headstart:Uploads:MaxZipFiles must be between 1 and 1000000."
        : MaxUnpackedBytes < 1 ? "Headstart:Uploads:MaxUnpackedBytes must be at least 1."
        : MaxManifestBytes < 1 ? "Headstart:Uploads:MaxManifestBytes must be at least 1."
        : MaxRows is < 1 or > 1_000_000 ? "Headstart:Uploads:MaxRows must be between 1 and 1000000."
        : MaxTextBytes is < 1 or > 16 << 20 ? "Headstart:Uploads:MaxTextBytes must be between 1 and 16777216 (16 MiB)."
        : MaxTextsBytes < MaxTextBytes
            ? $"Headstart:Uploads:MaxTextsBytes must be at least {MaxTextBytes} (Headstart:Uploads:MaxTextBytes)."
        : MaxTextsBytes > 1 << 30 ? "Headstart:Uploads:MaxTextsBytes must be at most 1073741824 (1 GiB)."
        : MaxImportSeconds is not (> 0 and <= 30 * 24 * 60 * 60)
            ? "Headstart:Uploads:MaxImportSeconds must be more than 0 and at most 2592000 (30 days)."
        : null;
}
