using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Headstart.Hosting;
using Headstart.Tests.Postgres;
using Headstart.Tests.Web;

namespace Headstart.Tests.Processes;

/// <summary>Whom and where containers start the program: users that no system knows, folders of others, nothing that can be written
/// to.</summary>
[SupportedOSPlatform("linux")]
public sealed class UsersTests(TestPostgres postgres)
{
    private const string Stranger = "12345";

    /// <summary>As <c>docker run --read-only -u 12345:0</c> does it: all of the system is read-only but the data folder, and /tmp where
    /// there is a volume for it.</summary>
    private const string OnlyDataCanBeWritten = """
        mount --bind "$Headstart__DataDirectory" "$Headstart__DataDirectory"
        [ "$TMP_IS" = writable ] && mount --bind /tmp /tmp
        for place in / /var/tmp /dev/shm $([ "$TMP_IS" = writable ] || echo /tmp); do mount -o remount,bind,ro "$place" 2>/dev/null; done
        touch /nothing 2>/dev/null && exit 9
        touch /tmp/nothing 2>/dev/null && is=writable || is=read-only
        [ "$TMP_IS" = $is ] || exit 10
        exec "$@"
        """;

    private static readonly string[] AsStranger =
        ["setpriv", "--reuid", Stranger, "--regid", "0", "--clear-groups", "env", "-u", "HOME", "-u", "USER", "-u", "LOGNAME", "-u",
            "XDG_DATA_HOME"];

    [Theory]
    [InlineData("read-only")]
    [InlineData("writable")]
    public async Task A_user_without_a_name_and_a_home_does_the_main_job_on_a_read_only_system(string tmp)
    {
        await using var host = await HostAsync("unshare", "--mount", "sh", "-c", OnlyDataCanBeWritten, "sh");
        host.Environment["TMP_IS"] = tmp;
        host.Environment["ConnectionStrings__Headstart"] = await postgres.CreateDatabaseAsync();
        Own(host.DataFolder);
        await host.StartAsync();

        var model = await host.Client.PetsAsync(4);
        await host.Client.TrainAsync(model);
        var answer = await host.Client.PredictAsync(model, Pets.Cats[^1]);
        Assert.Single(answer["predictions"]!.AsArray());

        // What would lie in the folder for temporary files: an exported version, a form that is too large for memory, the keys that protect
        // cookies.
        using var export = await host.Client.GetAsync($"{model}/versions/1/export", Api.Cancel);
        Assert.Equal(HttpStatusCode.OK, export.StatusCode);
        Assert.True((await export.Content.ReadAsByteArrayAsync(Api.Cancel)).Length > 1_000_000);
        using var form = new MultipartFormDataContent { { new ByteArrayContent([.. Pets.Cat, .. new byte[100_000]]), "file", "cat.jpg" } };
        using var request = new HttpRequestMessage(HttpMethod.Post,
            $"/api/v2/ImageCategorization/LabelFile/?modelId={model.Split('/')[^1]}")
        { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic",
            Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{Api.Key}:")));
        using var labelled = await host.Client.SendAsync(request, Api.Cancel);
        Assert.True(labelled.IsSuccessStatusCode, await labelled.Content.ReadAsStringAsync(Api.Cancel));
        using var browser = new Browser(host.Client.BaseAddress!);
        using var signedIn = await browser.SignInAsync(Api.Key);
        Assert.Equal("/", signedIn.Headers.Location?.ToString());
        Assert.DoesNotContain("fail:", host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_folder_of_somebody_else_ends_the_start_with_a_sentence()
    {
        await using var host = await HostAsync();
        Directory.CreateDirectory(host.DataFolder); // root's, as Docker makes it for a bind mount

        await RefusesAsync(host, $"The data folder '{host.DataFolder}' cannot be used");

        host.Environment["Headstart__DataDirectory"] = "~/.headstart"; // the default, and no home
        await RefusesAsync(host, "set Headstart:DataDirectory to another folder");
        Assert.False(Directory.Exists("/.headstart"));
    }

    [Fact]
    public async Task A_data_folder_that_root_has_used_meanwhile_ends_the_start_with_the_cure()
    {
        await using var host = await HostAsync();
        Directory.CreateDirectory(Path.Combine(host.DataFolder, "postgres"));
        File.SetUnixFileMode(Path.Combine(host.DataFolder, "postgres"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Own(host.DataFolder);

        await RefusesAsync(host, $"sudo chown -R $(id -u) '{host.DataFolder}'");
    }

    [Fact]
    public async Task PostgreSQL_does_not_run_for_a_user_without_a_name_and_the_start_says_what_to_do()
    {
        await using var host = await HostAsync();
        Own(host.DataFolder);

        await RefusesAsync(host, "or set ConnectionStrings:Headstart to a running database");
    }

    [Fact]
    public async Task The_built_program_without_its_packages_ends_the_start_with_a_sentence()
    {
        await SkipUnlessRootAsync();
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "Headstart.staticwebassets.runtime.json"), Api.Cancel))!;
        var packages = manifest["ContentRoots"]!.AsArray().Select(root => (string)root!)
            .First(root => root.Contains("mudblazor", StringComparison.OrdinalIgnoreCase));
        await using var host = new HostProcess
        {
            Program = HostProcess.Built,
            Through = ["unshare", "--mount", "sh", "-c",
            $"mount -t tmpfs none '{Path.GetDirectoryName(packages.TrimEnd('/'))}' && exec \"$@\"", "sh"],
        };

        await RefusesAsync(host, "start it as the account that built it, or publish it");
    }

    /// <summary>The published program as that user.</summary>
    private static async Task<HostProcess> HostAsync(params string[] through)
    {
        await SkipUnlessRootAsync();
        Assert.SkipUnless(HostProcess.Published is not null,
            "HEADSTART_PROGRAM names no published program, and a built one is for whoever built it.");
        var host = new HostProcess { Through = [.. through, .. AsStranger] };
        File.SetUnixFileMode(host.Folder.Path, (UnixFileMode)0b111_101_101);
        return host;
    }

    private static async Task SkipUnlessRootAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Another user can be taken on by root only.");
        Assert.SkipUnless((await UserProgram.EndAsync(new("unshare", ["--mount", "true"]))).ExitCode == 0,
            "This root may not mount anything.");
    }

    private static async Task RefusesAsync(HostProcess host, string sentence)
    {
        var (exitCode, output) = await host.RunAsync();

        Assert.True(exitCode == 1, output);
        var lines = output.Trim().Split('\n').Where(line => !line.StartsWith("info:", StringComparison.Ordinal));
        Assert.Contains(sentence, Assert.Single(lines), StringComparison.Ordinal);
    }

    private static void Own(string folder)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
        }

        using var chown = Process.Start("chown", [Stranger, folder]);
        chown.WaitForExit();
    }
}
