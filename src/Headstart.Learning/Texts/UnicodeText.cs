using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Learning.Texts;

/// <summary>Unifies spellings: composition (NFC and NFKC, Unicode Standard Annex 15) and full case folding. The runtime needs ICU for
/// either, which Headstart does not require; GLib does both and comes with libvips.</summary>
public static unsafe class UnicodeText
{
    private const int Decompose = 0; // G_NORMALIZE_NFD
    private const int Compose = 1; // G_NORMALIZE_NFC
    private const int ComposeCompatible = 3; // G_NORMALIZE_NFKC

    private static readonly Lazy<Functions> Glib = new(Load);

    private sealed record Functions(nint Normalise, nint CaseFold, nint Free);

    /// <summary>NFC: an accented letter is one character, whether typed as one or as letter and mark.</summary>
    public static string Composed(string text) => Ascii.IsValid(text) ? text
        : string.Join('\0', text.Split('\0').Select(part => Normalised(part, Compose))); // GLib would stop at the first NUL

    /// <summary>NFKC: also unifies ligatures, widths and the order of marks.</summary>
    public static string Compatible(string text) => Ascii.IsValid(text) ? text
        : string.Join('\0', text.Split('\0').Select(part => Normalised(part)));

    /// <summary>The form in which words are compared: case, ligatures, widths and the order of marks do not matter.</summary>
    public static string Folded(string text) =>
        Ascii.IsValid(text) ? text.ToLowerInvariant() : Normalised(CaseFolded(Normalised(text)));

    /// <summary>Strips accents, for uncased networks, which know none.</summary>
    public static string WithoutAccents(string text) => Ascii.IsValid(text) ? text
        : string.Concat(Normalised(text, Decompose).EnumerateRunes()
            .Where(rune => Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark));

    private static string Normalised(string text, int mode = ComposeCompatible)
    {
        var normalise = (delegate* unmanaged<byte*, nint, int, byte*>)Glib.Value.Normalise;
        fixed (byte* bytes = Utf8(text, out var length))
        {
            return Taken(normalise(bytes, length, mode));
        }
    }

    private static string CaseFolded(string text)
    {
        var fold = (delegate* unmanaged<byte*, nint, byte*>)Glib.Value.CaseFold;
        fixed (byte* bytes = Utf8(text, out var length))
        {
            return Taken(fold(bytes, length));
        }
    }

    /// <summary>Terminated by a NUL; lone surrogates become U+FFFD, so that GLib always gets valid UTF-8.</summary>
    private static byte[] Utf8(string text, out int length)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length) + 1];
        length = Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    private static string Taken(byte* result)
    {
        try
        {
            return Marshal.PtrToStringUTF8((nint)result) ?? "";
        }
        finally
        {
            ((delegate* unmanaged<void*, void>)Glib.Value.Free)(result);
        }
    }

    private static Functions Load()
    {
        VipsRuntime.EnsureLoaded();
        // On Windows GLib is a separate file; elsewhere it is part of libvips.
        var name = OperatingSystem.IsWindows() ? "libglib-2.0-0.dll" : OperatingSystem.IsMacOS() ? "libvips.42.dylib" : "libvips.so.42";
        var library = NativeLibrary.Load(name, typeof(Image).Assembly, searchPath: null);
        return new(NativeLibrary.GetExport(library, "g_utf8_normalize"), NativeLibrary.GetExport(library, "g_utf8_casefold"),
            NativeLibrary.GetExport(library, "g_free"));
    }
}
