namespace Headstart.Learning.Imaging;

/// <summary>Names files that users send by mistake instead of an image, a table or an archive, by their first bytes; only for
/// messages.</summary>
public static class FileKind
{
    public const string Zip = "a zip archive";

    internal const string Raw = "a camera's raw file";

    /// <summary>The end of a sentence "the file is …"; null for any other kind.</summary>
    /// <param name="file">The first bytes; 512 are enough for all kinds.</param>
    public static string? Of(ReadOnlySpan<byte> file) => OfArchive(file) ?? OfTable(file) ?? OfDocument(file) ?? OfPicture(file);

    private static string? OfArchive(ReadOnlySpan<byte> file) =>
        file.StartsWith("PK\x03\x04"u8) ? file.Length > 30 && file[30..].StartsWith("[Content_Types].xml"u8)
                ? "an Office document, such as an Excel workbook"
            : file.Length > 38 && file[30..].StartsWith("mimetype"u8) ? "an OpenDocument file, such as a Calc spreadsheet" : Zip
        : file.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? "compressed with gzip, such as a .tar.gz archive"
        : file.StartsWith((ReadOnlySpan<byte>)[(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C]) ? "a 7z archive"
        : file.StartsWith("Rar!\x1A\x07"u8) ? "a RAR archive"
        : file.StartsWith("BZh"u8) && file.Length > 9 && file[4..].StartsWith("1AY&SY"u8)
            ? "compressed with bzip2, such as a .tar.bz2 archive"
        : file.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z'])
            ? "compressed with xz, such as a .tar.xz archive"
        : file.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "compressed with Zstandard"
        : file.Length > 261 && file[257..].StartsWith("ustar"u8) ? "a tar archive" : null;

    private static string? OfTable(ReadOnlySpan<byte> file) =>
        file.StartsWith("PAR1"u8) && file.Length > 4 && file[4] < ' ' ? "a Parquet file"
        : file.StartsWith("ARROW1\0"u8) ? "an Arrow file"
        : file.StartsWith((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y']) ? "a NumPy array"
        : file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'H', (byte)'D', (byte)'F']) ? "an HDF5 file"
        : file.StartsWith("SQLite format 3"u8) ? "an SQLite database" : null;

    private static string? OfDocument(ReadOnlySpan<byte> file) =>
        file.StartsWith("%PDF-"u8) ? "a PDF document"
        : file.StartsWith("{\\rtf1"u8) ? "a rich text document (RTF)"
        : file.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0]) ? "an old Office document, such as an .xls workbook"
        : file.StartsWith("version https://git-lfs"u8) ? "only a Git LFS pointer (git lfs pull fetches the file itself)" : null;

    private static string? OfPicture(ReadOnlySpan<byte> file) =>
        file.StartsWith("8BPS"u8) ? "a Photoshop document"
        : file.Length > 131 && file[128..].StartsWith("DICM"u8) ? "a DICOM file"
        : file.StartsWith("FUJIFILMCCD-RAW"u8) || file.StartsWith("IIRO"u8) || file.StartsWith("IIU\0"u8)
            || (file.Length > 11 && file[4..].StartsWith("ftypcrx"u8)) ? Raw
        : file.Length > 11 && file[4..].StartsWith("ftyp"u8) ? "a video"
        : file.StartsWith((ReadOnlySpan<byte>)[0x1A, 0x45, 0xDF, 0xA3]) ? "a video"
        : null;
}
