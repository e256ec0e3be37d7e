namespace Headstart.Tests;

/// <summary>The folder with real photographs and backbones that HEADSTART_SHARED names; a relative one starts at the checkout.</summary>
internal static class SharedFolder
{
    public static string? Root { get; } = Environment.GetEnvironmentVariable("HEADSTART_SHARED") is { Length: > 0 } shared
        ? Path.GetFullPath(shared, Checkout())
        : null;

    /// <summary>The folder of Service.sln: test runners start in folders of their own choice.</summary>
    public static string Checkout()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Service.sln")))
            {
                return folder;
            }
        }

        return Environment.CurrentDirectory;
    }
}
