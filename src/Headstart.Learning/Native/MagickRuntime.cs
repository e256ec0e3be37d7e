using System.Runtime.InteropServices;
using ImageMagick;

namespace Headstart.Learning.Native;

/// <summary>Starts ImageMagick once, at the first file that libvips cannot read, with settings for untrusted files: it may read bytes of a
/// few formats and do nothing else.</summary>
internal static partial class MagickRuntime
{
    // The last rule that matches a name decides.
    private const string Policy = """
        <policymap>
          <policy domain="coder" rights="none" pattern="*" />
          <policy domain="coder" rights="read" pattern="{BMP,JP2,J2K,JXL}" />
          <policy domain="delegate" rights="none" pattern="*" />
          <policy domain="filter" rights="none" pattern="*" />
          <policy domain="module" rights="none" pattern="*" />
          <policy domain="module" rights="all" pattern="{BMP,JP2,JXL}" />
          <policy domain="path" rights="none" pattern="*" />
        </policymap>
        """;

    internal const string Library = "Magick.Native-Q8-x64.dll";

    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Loads ImageMagick on first use. Thread-safe.</summary>
    /// <returns>False if its library is missing, cannot be loaded, or lacks the functions used here, as on Windows.</returns>
    public static bool TryLoad() => Started.Value;

    private static bool Start()
    {
        try
        {
            Configure();
            return true;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or TypeInitializationException)
        {
            return false;
        }
    }

    private static void Configure()
    {
        MagickNET.Initialize();
        var problem = AcquireExceptionInfo();
        try
        {
            if (SetMagickSecurityPolicy(Policy, problem) == 0)
            {
                throw new InvalidOperationException("ImageMagick rejected its security policy.");
            }
        }
        finally
        {
            DestroyExceptionInfo(problem);
        }

        // Callers decode many images in parallel: one thread per image wastes least.
        ResourceLimits.Thread = 1;
        // Pixels stay in memory, never on disk. ImageReader has already limited their number by the header, and the decoder cannot exceed
        // that.
        ResourceLimits.Disk = 0;
        ResourceLimits.Area = ulong.MaxValue;
        ResourceLimits.Memory = (ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        ResourceLimits.ListLength = 2; // the limit is exclusive: one image
        ResourceLimits.MaxProfileSize = 8 << 20;
        // Not Time: it limits the lifetime of the process, not of one decode.
    }

    // Magick.NET reads policies from files only; these are the underlying functions of ImageMagick.
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetMagickSecurityPolicy(string policy, nint exception);

    [LibraryImport(Library)]
    private static partial nint AcquireExceptionInfo();

    [LibraryImport(Library)]
    private static partial nint DestroyExceptionInfo(nint exception);
}
