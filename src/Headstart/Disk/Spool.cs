namespace Headstart.Disk;

/// <summary>
/// Keeps a body that must be read twice, or from its end, in a temporary file that nobody else can open and that disappears when it is
/// closed, even by a crash: Windows deletes it on closing, other systems right after opening. If the process dies between creating and
/// deleting it, an empty file is left.
/// </summary>
public static class Spool
{
    private const int ChunkBytes = 1 << 16;

    /// <summary>
    /// Empties the folder, where a killed process may have left files. ASP.NET Core writes large forms and new keys to the folder for
    /// temporary files first; if that is not writable (a read-only container without a volume at <c>/tmp</c>), uses this folder for them.
    /// </summary>
    public static void Open(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var left in Directory.EnumerateFiles(folder)) // not the folder itself, which may be a mount point
        {
            File.Delete(left);
        }

        if (!CanWrite(Path.GetTempPath()))
        {
            Environment.SetEnvironmentVariable("TMPDIR", folder);
        }
    }

    /// <summary>Stores a body.</summary>
    /// <param name="body">Read to its end, or until it has more than <paramref name="maxBytes"/>.</param>
    /// <param name="folder">Folder of the file.</param>
    /// <param name="maxBytes">Size limit.</param>
    /// <returns>The body at its start; null if it is larger.</returns>
    public static async Task<FileStream?> TakeAsync(Stream body, string folder, long maxBytes, CancellationToken cancel)
    {
        var file = Create(folder);
        try
        {
            if (await CopyAsync(body, file, maxBytes, cancel))
            {
                await file.FlushAsync(cancel);
                file.Position = 0;
                return file;
            }
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }

        await file.DisposeAsync();
        return null;
    }

    /// <summary>Creates an empty temporary file of this kind.</summary>
    public static FileStream Create(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{Guid.CreateVersion7():N}.spool");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, ChunkBytes,
            OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(path);
        }

        return file;
    }

    private static bool CanWrite(string folder)
    {
        try
        {
            File.Create(Path.Combine(folder, Path.GetRandomFileName()), bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static async Task<bool> CopyAsync(Stream body, FileStream file, long maxBytes, CancellationToken cancel)
    {
        var chunk = new byte[ChunkBytes];
        for (int read; (read = await body.ReadAsync(chunk, cancel)) > 0;)
        {
            if (file.Length + read > maxBytes)
            {
                return false;
            }

            await file.WriteAsync(chunk.AsMemory(0, read), cancel);
        }

        return true;
    }
}
