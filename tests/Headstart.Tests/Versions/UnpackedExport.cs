using System.IO.Compression;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Versions;

/// <summary>An export as a user unpacks it.</summary>
internal static class UnpackedExport
{
    /// <param name="client">Talks to the host with a key.</param>
    /// <param name="path">Of the export.</param>
    public static async Task<TemporaryFolder> OfAsync(HttpClient client, string path)
    {
        using var zip = new ZipArchive(await client.GetStreamAsync(path, Api.Cancel));
        var folder = new TemporaryFolder();
        zip.ExtractToDirectory(folder.Path);
        return folder;
    }

    /// <summary>What a reader of the README would copy out of it.</summary>
    public static async Task<string> ProgramAsync(TemporaryFolder folder, string language)
    {
        var readme = await File.ReadAllTextAsync(folder.Below("README.md"), Api.Cancel);
        var start = readme.IndexOf($"```{language}\n", StringComparison.Ordinal);
        Assert.True(start > 0, readme);
        return readme[(start + language.Length + 4)..readme.IndexOf("\n```\n", start, StringComparison.Ordinal)] + "\n";
    }
}
