namespace Headstart.Learning.Native;

/// <summary>Files that only the current user can read or replace, because their contents are loaded as code.</summary>
internal static class PrivateFile
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, Owner | UnixFileMode.UserExecute);
        File.SetUnixFileMode(path, Owner | UnixFileMode.UserExecute); // an existing folder may have another mode
    }

    /// <summary>Makes <paramref name="path"/> hold exactly <paramref name="content"/>. The file appears whole or not at all, so processes
    /// that start together may all write it; an intact one is left alone, because another process may have mapped it.</summary>
    /// <returns><paramref name="path"/></returns>
    public static string Write(string path, byte[] content)
    {
        if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(content))
        {
            return path;
        }

        var draft = $"{path}.{Environment.ProcessId}-{Path.GetRandomFileName()}";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = Owner;
            }

            using (var stream = new FileStream(draft, options))
            {
                stream.Write(content);
            }

            File.Move(draft, path, overwrite: true);
            return path;
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
