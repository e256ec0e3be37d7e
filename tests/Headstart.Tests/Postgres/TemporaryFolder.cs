namespace Headstart.Tests.Postgres;

/// <summary>A folder that is gone after the test, with whatever its links point to. Its name has what breaks careless quoting.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("headstart test ä-").FullName;

    public string Below(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose()
    {
        var folders = Directory.EnumerateDirectories(Path, "*",
            new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 });
        foreach (var target in folders.Select(folder => Directory.ResolveLinkTarget(folder, true)).OfType<DirectoryInfo>().ToList())
        {
            target.Delete(recursive: true);
        }

        Directory.Delete(Path, recursive: true);
    }
}
