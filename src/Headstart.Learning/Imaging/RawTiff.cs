using System.Buffers.Binary;

namespace Headstart.Learning.Imaging;

/// <summary>Most cameras write raw files as TIFF whose first image is a small preview (DNG, NEF, ARW, PEF, CR2): TIFF decoders return that,
/// and it would be learned in place of the photograph.</summary>
internal static class RawTiff
{
    private const int SubfileType = 254, Interpretation = 262, SubIfds = 330, CfaPattern = 33422, EpsPattern = 37398, DngVersion = 50706;
    private const int ColourFilterArray = 32803;
    private const int MostEntries = 512;

    /// <summary>Whether the first directory of a TIFF marks it as such a file.</summary>
    public static bool Is(ReadOnlySpan<byte> file)
    {
        if (file.Length < 16 || file[2] == 0x2B || file[3] == 0x2B)
        {
            return false; // BigTIFF: no camera writes it
        }

        var little = file[0] == (byte)'I';
        if (file[8..].StartsWith("CR\x02"u8))
        {
            return true;
        }

        var at = (long)Number(file[4..], 4);
        if (at < 8 || at > file.Length - 2)
        {
            return false;
        }

        var (count, reduced, within) = (Math.Min((int)Number(file[(int)at..], 2), MostEntries), false, false);
        for (var entry = at + 2; count-- > 0 && entry + 12 <= file.Length; entry += 12)
        {
            var tag = (int)Number(file[(int)entry..], 2);
            var value = Number(file[(int)(entry + 8)..], Number(file[(int)(entry + 2)..], 2) == 3 ? 2 : 4);
            reduced |= tag == SubfileType && (value & 1) == 1;
            within |= tag == SubIfds;
            if (tag is CfaPattern or EpsPattern or DngVersion || (tag == Interpretation && value == ColourFilterArray))
            {
                return true;
            }
        }

        return reduced && within;

        uint Number(ReadOnlySpan<byte> bytes, int size) => size == 2
            ? little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes)
            : little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
