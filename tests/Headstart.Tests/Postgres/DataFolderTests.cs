using System.Diagnostics;
using Headstart.Disk;
using Headstart.Errors;

namespace Headstart.Tests.Postgres;

public sealed class DataFolderTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public void A_missing_folder_is_made()
    {
        using var folder = DataFolder.Open(_temporary.Below("a", "b"));
        Assert.True(Directory.Exists(folder.Path));
    }

    [Fact]
    public void A_second_host_on_the_same_folder_is_refused_with_a_sentence()
    {
        using var folder = DataFolder.Open(_temporary.Path);
        var refusal = Assert.Throws<StartupException>(() => DataFolder.Open(_temporary.Path));
        Assert.Equal(
            $"Another Headstart already uses the data folder '{folder.Path}'; " +
            "stop it, or set Headstart:DataDirectory to another folder.", refusal.Message);
    }

    [Fact]
    public void The_folder_is_free_again_once_its_host_let_it_go()
    {
        DataFolder.Open(_temporary.Path).Dispose();
        DataFolder.Open(_temporary.Path).Dispose();
    }

    [Fact]
    public void A_symbolic_link_is_the_folder_it_points_to()
    {
        Directory.CreateDirectory(_temporary.Below("real", "data"));
        Directory.CreateSymbolicLink(_temporary.Below("link"), "real");
        using var folder = DataFolder.Open(_temporary.Below("link", "data"));
        Assert.EndsWith(Path.Combine("real", "data"), folder.Path, StringComparison.Ordinal);
        Assert.Throws<StartupException>(() => DataFolder.Open(_temporary.Below("real", "data")));
        Directory.Delete(_temporary.Below("link"));
    }

    [Fact]
    public void The_lock_holds_against_other_processes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/flock"), "needs flock");
        using (DataFolder.Open(_temporary.Path))
        {
            Assert.Equal(1, Flock());
        }

        Assert.Equal(0, Flock());
    }

    [Fact]
    public void A_file_in_the_way_is_a_sentence()
    {
        File.WriteAllText(_temporary.Below("file"), "");
        var refusal = Assert.Throws<StartupException>(() => DataFolder.Open(_temporary.Below("file", "data")));
        Assert.StartsWith($"The data folder '{_temporary.Below("file", "data")}' cannot be used (", refusal.Message,
            StringComparison.Ordinal);
        Assert.EndsWith("or set Headstart:DataDirectory to another folder.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_path_is_a_sentence() => Assert.Throws<StartupException>(() => DataFolder.Open(""));

    [Fact]
    public void A_tilde_is_the_home_folder()
    {
        var name = ".headstart-test-" + Guid.CreateVersion7().ToString("n");
        var expected = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), name);
        try
        {
            using var folder = DataFolder.Open("~/" + name);
            Assert.True(Directory.Exists(expected));
        }
        finally
        {
            Directory.Delete(expected, recursive: true);
        }
    }

    [Fact]
    public void A_secret_is_made_once_and_read_by_nobody_else()
    {
        using var folder = DataFolder.Open(_temporary.Path);
        var secret = folder.Secret("password");
        Assert.Equal(48, secret.Length);
        Assert.Equal(secret, folder.Secret("password"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_temporary.Below("password")));
        }
    }

    private int Flock()
    {
        using var flock = Process.Start("flock", ["--nonblock", _temporary.Below("headstart.lock"), "true"]);
        flock.WaitForExit();
        return flock.ExitCode;
    }
}
