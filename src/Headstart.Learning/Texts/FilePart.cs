using System.IO.MemoryMappedFiles;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Security.Cryptography;

namespace Headstart.Learning.Texts;

/// <summary>A file or a section of one.</summary>
internal sealed record FilePart(string Path, long Offset, long Length)
{
    public static FilePart Whole(string path) => new(path, 0, new FileInfo(path).Length);

    /// <summary>The resource of a .NET assembly with that ending of its name. The assembly is read as a file; nothing in it is loaded or
    /// run. Source: ECMA-335, II.24.2.4 and II.22.24 (a resource is a 32-bit length and its bytes).</summary>
    /// <exception cref="TextFeaturesException">No such resource, or the file is not an assembly.</exception>
    public static FilePart Resource(string assembly, string ending)
    {
        try
        {
            using var file = new PEReader(File.OpenRead(assembly), PEStreamOptions.PrefetchMetadata);
            var metadata = file.GetMetadataReader();
            var resources = metadata.ManifestResources.Select(metadata.GetManifestResource).Where(known =>
                known.Implementation.IsNil && metadata.GetString(known.Name).EndsWith(ending, StringComparison.Ordinal)).ToList();
            if (resources is [var resource, ..] && file.PEHeaders is { CorHeader.ResourcesDirectory: var directory } headers
                && headers.TryGetDirectoryOffset(directory, out var start))
            {
                using var bytes = File.OpenRead(assembly);
                bytes.Position = start + resource.Offset;
                using var reader = new BinaryReader(bytes);
                var length = reader.ReadUInt32();
                if (bytes.Position + length <= bytes.Length)
                {
                    return new(assembly, bytes.Position, length);
                }
            }
        }
        catch (Exception exception) when (exception is BadImageFormatException or EndOfStreamException or InvalidOperationException)
        {
            throw new TextFeaturesException($"it is not a .NET assembly ({exception.Message.TrimEnd('.')})", exception);
        }

        throw new TextFeaturesException($"it has no resource whose name ends in '{ending}'");
    }

    /// <summary>Opens a stream that the caller disposes.</summary>
    public Stream Open()
    {
        if (Length == 0)
        {
            return Stream.Null; // empty files cannot be mapped
        }

        using var mapped = MemoryMappedFile.CreateFromFile(Path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        return mapped.CreateViewStream(Offset, Length, MemoryMappedFileAccess.Read);
    }

    public byte[] Sum()
    {
        using var stream = Open();
        return SHA256.HashData(stream);
    }

    public byte[] ReadAll()
    {
        using var stream = Open();
        var bytes = new byte[Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
