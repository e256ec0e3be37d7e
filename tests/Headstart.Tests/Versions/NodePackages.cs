using Headstart.Hosting;
using Headstart.Tests.Processes;

namespace Headstart.Tests.Versions;

/// <summary>The packages of the JavaScript program, of fixed versions, installed once for a checkout.</summary>
internal static class NodePackages
{
    private const string Packages = """{ "private": true, "dependencies": { "onnxruntime-node": "1.30.0", "sharp": "0.35.5" } }""";

    /// <returns>The folder where a program finds them.</returns>
    public static async Task<string> InstalledAsync()
    {
        var folder = Repository.PathOf("artifacts", "node-onnxruntime-1.30.0-sharp-0.35.5");
        var done = Path.Combine(folder, "node_modules", "installed");
        if (!File.Exists(done))
        {
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), Packages, Api.Cancel);
            // Without scripts: that of onnxruntime-node downloads libraries for NVIDIA's cards.
            await UserProgram.RunAsync(folder, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund");
            await File.WriteAllTextAsync(done, "", Api.Cancel);
        }

        return folder;
    }
}
