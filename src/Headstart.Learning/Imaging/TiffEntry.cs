using System.Buffers.Binary;

namespace Headstart.Learning.Imaging;

/// <summary>An entry of a directory of a TIFF; EXIF is one, too.</summary>
/// <param name="Tag">What it says.</param>
/// <param name="Type">3 for 16-bit numbers.</param>
/// <param name="Count">How many numbers it has.</param>
/// <param name="Value">The number, if it has one of 16 or 32 bits; of other entries only the bits.</param>
internal readonly record struct TiffEntry(int Tag, int Type, uint Count, uint Value)
{
    private const int Size = 12;
    private const int MostEntries = 512;

    /// <summary>The entries of the first directory.</summary>
    /// <param name="tiff">Anything.</param>
    /// <param name="isWhole">Whether it is a TIFF with all the entries that the directory announces.</param>
    public static List<TiffEntry> Read(ReadOnlySpan<byte> tiff, out bool isWhole)
    {
        var entries = new List<TiffEntry>();
        isWhole = false;
        if (tiff is not ([(byte)'I', (byte)'I', 42, 0, _, _, _, _, ..] or [(byte)'M', (byte)'M', 0, 42, _, _, _, _, ..]))
        {
            return entries;
        }

        var isBig = tiff[0] == 'M';
        var directory = Number(tiff[4..8], isBig);
        if (directory < 8 || directory + 2L > tiff.Length)
        {
            return entries;
        }

        var count = Number(tiff.Slice((int)directory, 2), isBig);
        var rest = tiff[((int)directory + 2)..];
        for (; entries.Count < Math.Min(count, MostEntries) && rest.Length >= Size; rest = rest[Size..])
        {
            var type = (int)Number(rest[2..4], isBig);
            entries.Add(new((int)Number(rest[..2], isBig), type, Number(rest[4..8], isBig), Number(rest[8..(type == 3 ? 10 : 12)], isBig)));
        }

        isWhole = entries.Count == count;
        return entries;
    }

    private static uint Number(ReadOnlySpan<byte> bytes, bool isBig) => (bytes.Length, isBig) switch
    {
        (2, true) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
        (2, false) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        (_, true) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        (_, false) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
    };
}
