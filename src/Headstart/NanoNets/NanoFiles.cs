using Headstart.Fetching;
using Headstart.Operations;

namespace Headstart.NanoNets;

internal static class NanoFiles
{
    /// <summary>A file that was sent, in the form in which one comes from the web.</summary>
    public static async Task<FetchedFile> ReadAsync(IFormFile file, Settings settings, CancellationToken cancel)
    {
        if (file.Length > settings.Uploads.MaxFileBytes)
        {
            return new(file.FileName, null, "too-large", $"The file is larger than {settings.Uploads.MaxFileBytes:N0} bytes; send a smaller version of it.");
        }

        var bytes = new byte[file.Length];
        await using var stream = file.OpenReadStream();
        await stream.ReadExactlyAsync(bytes, cancel);
        return new(file.FileName, bytes, null, null);
    }
}
