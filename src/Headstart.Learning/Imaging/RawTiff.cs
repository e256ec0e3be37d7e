namespace Headstart.Learning.Imaging;

/// <summary>Most cameras write raw files as TIFF whose first image is a small preview (DNG, NEF, ARW, PEF, CR2): TIFF decoders return that,
/// and it would be learned in place of the photograph.</summary>
internal static class RawTiff
{
    private const int SubfileType = 254, Interpretation = 262, SubIfds = 330, CfaPattern = 33422, EpsPattern = 37398, DngVersion = 50706;
    private const int ColourFilterArray = 32803;

    /// <summary>Whether the first directory of a TIFF marks it as such a file.</summary>
    public static bool Is(ReadOnlySpan<byte> file)
    {
        if (file.Length >= 16 && file[8..].StartsWith("CR\x02"u8))
        {
            return true;
        }

        var (reduced, within) = (false, false);
        foreach (var (tag, _, _, value) in TiffEntry.Read(file, out _)) // none of a BigTIFF, which no camera writes
        {
            reduced |= tag == SubfileType && (value & 1) == 1;
            within |= tag == SubIfds;
            if (tag is CfaPattern or EpsPattern or DngVersion || (tag == Interpretation && value == ColourFilterArray))
            {
                return true;
            }
        }

        return reduced && within;
    }
}
