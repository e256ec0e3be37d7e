using System.Buffers.Binary;
using System.Text;

namespace Headstart.Tests.Uploads.Archives;

/// <summary>
/// An archive written byte by byte, as archivers write it: names in any encoding, with or without the flag for UTF-8, with extra fields.
/// </summary>
internal sealed class RawZip
{
    public const int Utf8Flag = 0x800;

    private readonly List<byte> _files = [];
    private readonly List<byte> _directory = [];
    private int _count;

    /// <param name="name">As its bytes.</param>
    /// <param name="bytes">Stored without compression.</param>
    /// <param name="flags">General purpose flags.</param>
    /// <param name="extra">Extra fields of the directory.</param>
    public RawZip Add(byte[] name, byte[] bytes, int flags = 0, byte[]? extra = null)
    {
        var (at, sums) = ((uint)_files.Count, new byte[12]);
        Crc32Of(bytes).CopyTo(sums, 0);
        BinaryPrimitives.WriteInt32LittleEndian(sums.AsSpan(4), bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(sums.AsSpan(8), bytes.Length);
        var common = new byte[10]; // version, flags, method 0, time
        common[0] = 20;
        BinaryPrimitives.WriteInt16LittleEndian(common.AsSpan(2), (short)flags);
        common[8] = 0x21; // 1980-01-01
        _files.AddRange([.. "PK\x03\x04"u8, .. common, .. sums, .. Two(name.Length), 0, 0, .. name, .. bytes]);
        _directory.AddRange([.. "PK\x01\x02"u8, 20, 0, .. common, .. sums, .. Two(name.Length), .. Two(extra?.Length ?? 0), .. new byte[10],
            .. Four(at), .. name, .. extra ?? []]);
        _count++;
        return this;
    }

    public RawZip Add(Encoding encoding, string name, byte[] bytes) => Add(encoding.GetBytes(name), bytes);

    public byte[] ToArray() =>
    [
        .. _files, .. _directory, .. "PK\x05\x06"u8, 0, 0, 0, 0, .. Two(_count), .. Two(_count),
        .. Four((uint)_directory.Count), .. Four((uint)_files.Count), 0, 0,
    ];

    /// <summary>Info-ZIP's copy of a name in UTF-8, with the checksum of the name that it belongs to.</summary>
    public static byte[] UnicodePath(byte[] name, string unicode)
    {
        var utf8 = Encoding.UTF8.GetBytes(unicode);
        return [0x75, 0x70, .. Two(utf8.Length + 5), 1, .. Crc32Of(name), .. utf8];
    }

    private static byte[] Two(int value) => [(byte)value, (byte)(value >> 8)];

    private static byte[] Four(uint value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];

    private static byte[] Crc32Of(byte[] bytes) => Four(Pictures.Crc32(bytes));
}
