using System.Buffers.Binary;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>The end marker of a JPEG. Cameras and phones omit it and transfers lose the last bytes; every viewer still shows the image, but
/// libvips refuses it just as if half were missing. So the marker is added if nearly all of the image is there.</summary>
internal static class JpegEnd
{
    private const byte StartOfScan = 0xDA;
    private const int MissingPart = 32; // at most one in this many blocks

    /// <returns>The file with an end marker; the same array if it already has one, or if too much is missing.</returns>
    public static byte[] Mend(byte[] jpeg)
    {
        if (jpeg.AsSpan().EndsWith((ReadOnlySpan<byte>)[0xFF, 0xD9]) || new Scans(jpeg) is not { CutIn: { } scan } scans)
        {
            return jpeg;
        }

        // A file that was preallocated and never filled ends in zeros, which are valid codes: they must not count as rows.
        var end = Math.Max(scan, jpeg.AsSpan().LastIndexOfAnyExcept((byte)0) + 1);
        byte[] mended = [.. jpeg.AsSpan(0, end), 0xFF, 0xD9];
        return scans.AreAll && (scans.IsProgressive ? scans.LastRefines || HasNoWarning(mended) : HasNearlyAll(mended)) ? mended : jpeg;
    }

    /// <summary>libjpeg fills missing parts with the middle of all values, 128; at an eighth of the size a block is one pixel.</summary>
    private static bool HasNearlyAll(byte[] jpeg)
    {
        using var image = Image.NewFromBuffer(jpeg, "[shrink=8]", access: Enums.Access.Sequential, failOn: Enums.FailOn.None);
        var (pixels, row, missing) = (image.WriteToMemory<byte>(), image.Width * image.Bands, 0);
        for (var y = image.Height - 1; y >= 0; y--)
        {
            var end = row - 1 - pixels.AsSpan(y * row, row).LastIndexOfAnyExcept((byte)128);
            if (end == 0)
            {
                break;
            }

            missing += end;
        }

        return missing <= pixels.Length / MissingPart;
    }

    private static bool HasNoWarning(byte[] jpeg)
    {
        try
        {
            using var image = Image.NewFromBuffer(jpeg, "[shrink=8]", access: Enums.Access.Sequential, failOn: Enums.FailOn.Warning);
            image.Avg();
            return true;
        }
        catch (VipsException)
        {
            return false;
        }
    }

    /// <summary>The scans up to the first end marker: ITU-T T.81, annexes B and G.</summary>
    private sealed class Scans
    {
        private readonly byte[,] _missingBits = new byte[256, 64]; // by component and coefficient
        private readonly List<byte> _components = [];

        public Scans(ReadOnlySpan<byte> jpeg)
        {
            var at = 2;
            while (at + 4 <= jpeg.Length && jpeg[at] == 0xFF)
            {
                var mark = jpeg[at + 1];
                if (mark == 0xFF)
                {
                    at++; // fill byte
                    continue;
                }

                if (mark == 0xD9)
                {
                    return;
                }

                var length = BinaryPrimitives.ReadUInt16BigEndian(jpeg[(at + 2)..]);
                if (length < 2 || at + 2 + length > jpeg.Length)
                {
                    return;
                }

                var segment = jpeg.Slice(at + 4, length - 2);
                at += 2 + length;
                if (mark is >= 0xC0 and <= 0xC2)
                {
                    StartFrame(mark, segment);
                }
                else if (mark == StartOfScan)
                {
                    Scan(segment);
                    var start = at;
                    at = EndOfScan(jpeg, at);
                    CutIn = at < 0 ? start : null;
                    if (at < 0)
                    {
                        return;
                    }
                }
            }
        }

        public bool IsProgressive { get; private set; }

        /// <summary>Start of the data of the scan in which the file ends; null if it ends elsewhere.</summary>
        public int? CutIn { get; }

        /// <summary>Whether the last scan only adds the last bits of existing coefficients: without it hardly anything changes.</summary>
        public bool LastRefines { get; private set; }

        /// <summary>Whether there is a scan for every bit of every coefficient.</summary>
        public bool AreAll => _components.Count > 0
            && _components.TrueForAll(c => Enumerable.Range(0, 64).All(k => _missingBits[c, k] == 0));

        private void StartFrame(byte mark, ReadOnlySpan<byte> segment)
        {
            IsProgressive = mark == 0xC2;
            for (var i = 6; i < segment.Length; i += 3)
            {
                _components.Add(segment[i]);
                for (var k = 0; k < 64; k++)
                {
                    _missingBits[segment[i], k] = byte.MaxValue;
                }
            }
        }

        private void Scan(ReadOnlySpan<byte> segment)
        {
            if (segment is not [var count, ..] || segment.Length < 4 + 2 * count)
            {
                return;
            }

            var (first, last, bits) = (segment[1 + 2 * count], Math.Min((byte)63, segment[2 + 2 * count]), segment[3 + 2 * count]);
            LastRefines = bits >> 4 > 0;
            for (var i = 0; i < count; i++)
            {
                for (var k = first; k <= last; k++)
                {
                    _missingBits[segment[1 + 2 * i], k] = (byte)(bits & 15);
                }
            }
        }

        /// <summary>After FF, 00 stands for FF itself and D0 to D7 are markers within the scan.</summary>
        private static int EndOfScan(ReadOnlySpan<byte> jpeg, int at)
        {
            while (jpeg[at..].IndexOf((byte)0xFF) is >= 0 and var next && at + next + 1 < jpeg.Length)
            {
                at += next;
                if (jpeg[at + 1] is not (0 or 0xFF or (>= 0xD0 and <= 0xD7)))
                {
                    return at;
                }

                at += jpeg[at + 1] == 0xFF ? 1 : 2;
            }

            return -1;
        }
    }
}
