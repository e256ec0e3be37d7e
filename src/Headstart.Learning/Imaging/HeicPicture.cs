using System.Runtime.InteropServices;
using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Learning.Imaging;

/// <summary>The open primary image of a HEIC file. libheif rotates and mirrors it as the file says (<c>irot</c>, <c>imir</c>) and, as the
/// standard demands, ignores EXIF orientation: the result is upright.</summary>
internal sealed class HeicPicture : IDisposable
{
    private readonly nint _context;
    private readonly nint _handle;
    private GCHandle _file;

    /// <exception cref="ImageRefusedException">The structure of the file is damaged.</exception>
    public HeicPicture(byte[] file)
    {
        _file = GCHandle.Alloc(file, GCHandleType.Pinned);
        _context = Libheif.NewContext();
        Libheif.SetThreads(_context, 0);
        if (Libheif.Read(_context, _file.AddrOfPinnedObject(), (nuint)file.Length, 0).Code != 0
            || Libheif.GetPrimary(_context, out _handle).Code != 0)
        {
            Dispose();
            throw new ImageRefusedException(ImageRefusal.Damaged);
        }

        Header = new(Libheif.GetWidth(_handle), Libheif.GetHeight(_handle));
    }

    public ImageHeader Header { get; }

    /// <param name="use">Receives 8-bit RGB with or without alpha, with the file's colour profile; valid until it returns.</param>
    /// <exception cref="ImageRefusedException">The picture is damaged.</exception>
    public Image Decode(Func<Image, Image> use)
    {
        var bands = Libheif.HasAlpha(_handle) == 0 ? 3 : 4;
        var layout = bands == 3 ? Libheif.Interleaved : Libheif.InterleavedWithAlpha;
        if (Libheif.Decode(_handle, out var image, Libheif.Rgb, layout, 0).Code != 0)
        {
            throw new ImageRefusedException(ImageRefusal.Damaged);
        }

        try
        {
            var (width, height) = (Libheif.GetImageWidth(image, Libheif.Interleaved), Libheif.GetImageHeight(image, Libheif.Interleaved));
            var plane = Libheif.GetPlane(image, Libheif.Interleaved, out var stride);
            if (plane == 0 || (width, height) != (Header.Width, Header.Height))
            {
                throw new ImageRefusedException(ImageRefusal.Damaged);
            }

            using var rows = Image.NewFromMemory(plane, (ulong)stride * (ulong)height, stride, height, bands: 1, Enums.BandFormat.Uchar);
            using var full = rows.Crop(0, 0, width * bands, height);
            using var pixels = full.Bandfold(factor: bands);
            using var picture = pixels.Copy(interpretation: Enums.Interpretation.Srgb);
            if (Profile() is not { } profile)
            {
                return use(picture);
            }

            using var profiled = picture.Mutate(fields => fields.Set(GValue.BlobType, ImageSource.Profile, profile));
            return use(profiled);
        }
        finally
        {
            Libheif.ReleaseImage(image);
        }
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            Libheif.ReleaseHandle(_handle);
        }

        Libheif.FreeContext(_context);
        _file.Free();
    }

    private byte[]? Profile()
    {
        var profile = new byte[Libheif.GetProfileSize(_handle)];
        return profile.Length > 0 && Libheif.GetProfile(_handle, profile).Code == 0 ? profile : null;
    }
}
