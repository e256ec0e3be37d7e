using System.Runtime.InteropServices;
using ImageMagick;

namespace Headstart.Learning.Native;

/// <summary>
/// Starts ImageMagick once, when the first file comes that libvips cannot read, with settings for a service that decodes strangers' files:
/// it may read bytes of a few formats and nothing else.
/// </summary>
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

    /// <summary>Loads ImageMagick if that has not happened yet. Safe to call from any thread, any number of times.</summary>
    /// <returns>False where its library is missing, cannot be loaded, or does not export what is needed here, as on Windows.</returns>
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
                throw new InvalidOperationException("ImageMagick did not take its policy.");
            }
        }
        finally
        {
            DestroyExceptionInfo(problem);
        }

        // Callers decode many images side by side: one thread an image wastes least.
        ResourceLimits.Thread = 1;
        // Pixels are in memory or nowhere. How many there may be, ImageReader has decided by the header; it cannot be more than there is.
        ResourceLimits.Disk = 0;
        ResourceLimits.Area = ulong.MaxValue;
        ResourceLimits.Memory = (ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        ResourceLimits.ListLength = 2; // fewer than that
        ResourceLimits.MaxProfileSize = 8 << 20;
        // Not Time: that is how long the process may live.
    }

    // Magick.NET takes a policy from files only; these are the functions of ImageMagick below it.
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetMagickSecurityPolicy(string policy, nint exception);

    [LibraryImport(Library)]
    private static partial nint AcquireExceptionInfo();

    [LibraryImport(Library)]
    private static partial nint DestroyExceptionInfo(nint exception);
}
