namespace Headstart.Tests.Processes;

/// <summary>Programs for Node with their packages from npm, of the versions in the package-lock.json beside them.</summary>
internal static class NpmFolder
{
    private static readonly SemaphoreSlim Installing = new(1);

    /// <summary>Copies the files to <c>artifacts</c> and installs their packages there, once for a checkout.</summary>
    /// <param name="files">The folder with package.json, package-lock.json and the programs.</param>
    /// <param name="name">Of the folder in <c>artifacts</c>.</param>
    public static async Task<string> InstalledAsync(string files, string name)
    {
        var folder = Repository.PathOf("artifacts", name);
        var done = Path.Combine(folder, "node_modules", "installed");
        await Installing.WaitAsync();
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var file in Directory.GetFiles(files))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
            }

            var locked = await File.ReadAllTextAsync(Path.Combine(folder, "package-lock.json"));
            if (!File.Exists(done) || await File.ReadAllTextAsync(done) != locked)
            {
                // Without scripts: that of onnxruntime-node downloads libraries for NVIDIA's cards.
                await UserProgram.RunAsync(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
                await File.WriteAllTextAsync(done, locked);
            }
        }
        finally
        {
            Installing.Release();
        }

        return folder;
    }
}
