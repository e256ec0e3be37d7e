using System.Runtime.InteropServices;

namespace Headstart.Learning.Native;

/// <summary>The few functions of libheif that decode an image. ImageMagick's library includes it, with an HEVC decoder that libvips lacks.
/// ImageMagick itself would write each file to disk first, because its reader takes no bytes from memory.</summary>
internal static partial class Libheif
{
    public const int Rgb = 1; // heif_colorspace_RGB
    public const int Interleaved = 10; // heif_channel_interleaved, heif_chroma_interleaved_RGB
    public const int InterleavedWithAlpha = 11; // heif_chroma_interleaved_RGBA

    private const string Library = MagickRuntime.Library;

    /// <summary>The result of a function, returned by value; code 0 is success.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct Outcome
    {
        public readonly int Code;
        private readonly int _subcode;
        private readonly nint _message; // lives as long as the context
    }

    [LibraryImport(Library, EntryPoint = "heif_context_alloc")]
    public static partial nint NewContext();

    [LibraryImport(Library, EntryPoint = "heif_context_free")]
    public static partial void FreeContext(nint context);

    /// <summary>0 decodes on the calling thread.</summary>
    [LibraryImport(Library, EntryPoint = "heif_context_set_max_decoding_threads")]
    public static partial void SetThreads(nint context, int threads);

    /// <summary>The bytes must not move while the context lives.</summary>
    [LibraryImport(Library, EntryPoint = "heif_context_read_from_memory_without_copy")]
    public static partial Outcome Read(nint context, nint bytes, nuint length, nint options);

    [LibraryImport(Library, EntryPoint = "heif_context_get_primary_image_handle")]
    public static partial Outcome GetPrimary(nint context, out nint handle);

    [LibraryImport(Library, EntryPoint = "heif_image_handle_release")]
    public static partial void ReleaseHandle(nint handle);

    /// <summary>Pixels across, after the rotations that the file asks for.</summary>
    [LibraryImport(Library, EntryPoint = "heif_image_handle_get_width")]
    public static partial int GetWidth(nint handle);

    [LibraryImport(Library, EntryPoint = "heif_image_handle_get_height")]
    public static partial int GetHeight(nint handle);

    [LibraryImport(Library, EntryPoint = "heif_image_handle_has_alpha_channel")]
    public static partial int HasAlpha(nint handle);

    [LibraryImport(Library, EntryPoint = "heif_image_handle_get_raw_color_profile_size")]
    public static partial nuint GetProfileSize(nint handle);

    [LibraryImport(Library, EntryPoint = "heif_image_handle_get_raw_color_profile")]
    public static partial Outcome GetProfile(nint handle, [Out] byte[] profile);

    [LibraryImport(Library, EntryPoint = "heif_decode_image")]
    public static partial Outcome Decode(nint handle, out nint image, int colourSpace, int chroma, nint options);

    [LibraryImport(Library, EntryPoint = "heif_image_release")]
    public static partial void ReleaseImage(nint image);

    [LibraryImport(Library, EntryPoint = "heif_image_get_width")]
    public static partial int GetImageWidth(nint image, int channel);

    [LibraryImport(Library, EntryPoint = "heif_image_get_height")]
    public static partial int GetImageHeight(nint image, int channel);

    /// <param name="image">A decoded image.</param>
    /// <param name="channel">For example <see cref="Interleaved"/>.</param>
    /// <param name="stride">Bytes per row.</param>
    [LibraryImport(Library, EntryPoint = "heif_image_get_plane_readonly")]
    public static partial nint GetPlane(nint image, int channel, out int stride);
}
