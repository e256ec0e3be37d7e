namespace Headstart.Learning.Imaging;

/// <summary>Recognises the accepted formats by their first bytes; names and declared types of files are never trusted.</summary>
internal static class ImageFormat
{
    /// <returns>The media type, or null for anything we do not accept.</returns>
    public static string? MediaType(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "image/png",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "image/webp",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => "image/gif",
        [(byte)'I', (byte)'I', 0x2A or 0x2B, 0, ..] => "image/tiff",
        [(byte)'M', (byte)'M', 0, 0x2A or 0x2B, ..] => "image/tiff",
        [0, 0, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', (byte)'a', (byte)'v', (byte)'i', (byte)'f' or (byte)'s', ..] =>
        "image/avif",
        _ => null,
    };
}
