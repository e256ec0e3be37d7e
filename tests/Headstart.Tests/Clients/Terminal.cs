using System.Diagnostics;
using System.Text;
using Headstart.Tests.Processes;

namespace Headstart.Tests.Clients;

/// <summary>The client programs as a user starts them.</summary>
internal static class Terminal
{
    private static readonly string[] Bash = ["bash", Repository.PathOf("src", "clients", "bash", "headstart.sh")];
    private static readonly string[] Python = ["python3", Repository.PathOf("src", "clients", "python", "headstart.py")];
    private static readonly string[] Node = ["node", Repository.PathOf("src", "clients", "node", "headstart.mjs")];

    // Built with the tests and in the same configuration.
    private static readonly string[] CSharp = ["dotnet", Repository.PathOf(
        "artifacts", "bin", "Headstart.Client", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)),
        "Headstart.Client.dll")];

    public static Task<Ended> RunAsync(string client, Uri? address, string? key, params string[] arguments) =>
        RunAsync([.. CommandOf(client), .. arguments], address, key);

    /// <summary>Predicts the files of a folder that fit a pattern, from inside it and by bare names, as a shell passes them.</summary>
    public static Task<Ended> PredictInAsync(string client, string folder, string patterns, Uri address, string key, string model) =>
        RunAsync(["bash", "-c", $"cd \"$1\"; model=$2; shift 2; exec \"$@\" predict \"$model\" -- {patterns}", "predict", folder, model,
            .. CommandOf(client)], address, key);

    private static string[] CommandOf(string client)
    {
        var command = client switch { "bash" => Bash, "python" => Python, "node" => Node, _ => CSharp };
        Needs.Programs(client == "bash" ? ["bash", "curl"] : [command[0]]);
        return command;
    }

    private static Task<Ended> RunAsync(string[] command, Uri? address, string? key)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["HEADSTART_URL"] = address?.ToString();
        start.Environment["HEADSTART_KEY"] = key;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        return UserProgram.EndAsync(start);
    }
}
