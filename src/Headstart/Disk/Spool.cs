namespace Headstart.Disk;

/// <summary>
/// A body that has to be read more than once, or from its end, lies in a file meanwhile: one that nobody can open by its name and that is
/// gone when it is closed, also by a crash. Elsewhere than on Windows it loses its name at once, and there the system deletes it. If the
/// process dies in between, an empty file is left.
/// </summary>
public static class Spool
{
    private const int ChunkBytes = 1 << 16;

    /// <summary>
    /// Begins with an empty folder, which a process that died may have left full. ASP.NET Core lays large forms and its new keys in the
    /// folder for temporary files first; where nothing can be written there (a read-only container with no volume at <c>/tmp</c>) this is
    /// that folder, from the start on.
    /// </summary>
    public static void Open(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var left in Directory.EnumerateFiles(folder)) // the folder itself may be a disk of its own
        {
            File.Delete(left);
        }

        if (!CanWrite(Path.GetTempPath()))
        {
            Environment.SetEnvironmentVariable("TMPDIR", folder);
        }
    }

    /// <summary>Takes a body in.</summary>
    /// <param name="body">Read to its end, or until it has more than <paramref name="maxBytes"/>.</param>
    /// <param name="folder">Where it lies.</param>
    /// <param name="maxBytes">That it may have.</param>
    /// <returns>The body at its start; null when it is larger.</returns>
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

    /// <summary>An empty file of that kind.</summary>
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
