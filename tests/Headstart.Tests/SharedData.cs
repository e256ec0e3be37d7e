namespace Headstart.Tests;

/// <summary>Real photographs and backbones, where HEADSTART_SHARED names the folder that has them; tests that need them skip
/// otherwise.</summary>
internal static class SharedData
{
    public static string Folder(string relative)
    {
        Assert.SkipWhen(SharedFolder.Root is null, "HEADSTART_SHARED does not name a folder with backbones/ and datasets/.");
        var path = Path.GetFullPath(Path.Combine(SharedFolder.Root!, relative));
        Assert.SkipUnless(Directory.Exists(path), $"There is no folder {path}.");
        return path;
    }

    public static string[] Files(string relative) => [.. Directory.GetFiles(Folder(relative)).Order(StringComparer.Ordinal)];
}
