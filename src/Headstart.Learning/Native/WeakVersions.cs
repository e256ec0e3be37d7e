using System.Buffers.Binary;
using System.Text;

namespace Headstart.Learning.Native;

/// <summary>Marks one version requirement of a 64-bit little-endian ELF library as weak, so that the dynamic linker warns instead of
/// refusing if the version is missing. Layout: "Linux Standard Base, Symbol Versioning", section <c>.gnu.version_r</c>.</summary>
internal static class WeakVersions
{
    private const uint VersionNeedsSection = 0x6ffffffe;
    private const ushort WeakFlag = 0x2;

    /// <summary>Sets the weak flag of every requirement called <paramref name="version"/>, in place.</summary>
    /// <returns>The number of requirements changed; 0 if there are none or the bytes are not such a library.</returns>
    public static int Weaken(Span<byte> elf, string version)
    {
        if (elf.Length < 64 || !elf[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            return 0;
        }

        try
        {
            var sections = (Start: (int)U64(elf, 0x28), Size: U16(elf, 0x3A), Count: U16(elf, 0x3C));
            var changed = 0;
            for (var i = 0; i < sections.Count; i++)
            {
                var section = elf.Slice(sections.Start + i * sections.Size, sections.Size);
                if (U32(section, 4) == VersionNeedsSection)
                {
                    var names = elf.Slice(sections.Start + (int)U32(section, 40) * sections.Size, sections.Size);
                    changed += WeakenSection(elf, (int)U64(section, 24), (int)U64(names, 24), version);
                }
            }

            return changed;
        }
        catch (ArgumentOutOfRangeException)
        {
            return 0; // offsets point outside the file: not a supported library
        }
    }

    private static int WeakenSection(Span<byte> elf, int library, int names, string version)
    {
        var changed = 0;
        var wanted = Encoding.ASCII.GetBytes(version + '\0');
        for (var more = true; more;)
        {
            var requirement = library + (int)U32(elf, library + 8);
            for (var count = U16(elf, library + 2); count > 0; count--)
            {
                if (elf[(names + (int)U32(elf, requirement + 8))..].StartsWith(wanted))
                {
                    var flags = elf.Slice(requirement + 4, 2);
                    BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(U16(flags, 0) | WeakFlag));
                    changed++;
                }

                requirement += (int)U32(elf, requirement + 12);
            }

            var next = (int)U32(elf, library + 12);
            library += next;
            more = next != 0;
        }

        return changed;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}
