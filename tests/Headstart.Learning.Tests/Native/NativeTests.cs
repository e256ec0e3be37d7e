using Headstart.Learning.Native;
using static TorchSharp.torch;

namespace Headstart.Learning.Tests.Native;

public sealed class NativeTests
{
    [Fact]
    public void Libtorch_and_libvips_load_from_many_threads_at_once()
    {
        Parallel.For(0, 8, _ =>
        {
            TorchRuntime.EnsureLoaded();
            VipsRuntime.EnsureLoaded();
        });

        using var scope = NewDisposeScope();
        Assert.Equal(9, ones(3, 3).sum().item<float>());
        Assert.True(NetVips.NetVips.AtLeastLibvips(8, 15));
    }

    [Fact]
    public void What_is_no_library_is_left_alone()
    {
        byte[] text = [.. "this is no library, and far too short to be one: more letters to pass the first check"u8];
        byte[] broken = [.. "\u007fELF\u0002\u0001"u8, .. Enumerable.Repeat((byte)0xFF, 100)];
        byte[] before = [.. broken];

        Assert.Equal(0, WeakVersions.Weaken(text, "GLIBCXX_3.4.32"));
        Assert.Equal(0, WeakVersions.Weaken(broken, "GLIBCXX_3.4.32"));
        Assert.Equal(before, broken);
    }

    [Fact]
    public void A_version_need_is_made_weak_by_changing_one_byte()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "TorchSharp's library is an ELF file on Linux only.");
        var library = Directory.GetFiles(NuGetTorchSharp(), "libLibTorchSharp.so", SearchOption.AllDirectories).FirstOrDefault();
        Assert.SkipWhen(library is null, "libLibTorchSharp.so is not among the packages.");
        var original = File.ReadAllBytes(library!);
        byte[] weakened = [.. original];

        Assert.Equal(1, WeakVersions.Weaken(weakened, "GLIBCXX_3.4.32"));
        Assert.Equal(1, original.Zip(weakened).Count(pair => pair.First != pair.Second));
        Assert.Equal(0, WeakVersions.Weaken([.. original], "GLIBCXX_9.9.99"));
    }

    [Fact]
    public void A_private_file_is_whole_ours_alone_and_left_in_place_when_intact()
    {
        using var folder = new TestFolder();
        PrivateFile.CreateFolder(folder.File("cache"));
        var path = Path.Combine(folder.File("cache"), "library.so");
        var content = new byte[100_000];
        Random.Shared.NextBytes(content);

        Parallel.For(0, 8, _ => PrivateFile.Write(path, content));
        Assert.Equal(content, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(folder.File("cache")));

        File.WriteAllBytes(path, [1, 2, 3]);
        PrivateFile.Write(path, content);
        Assert.Equal(content, File.ReadAllBytes(path));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(folder.File("cache")));
        }
    }

    private static string NuGetTorchSharp() => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } packages
        ? Path.Combine(packages, "torchsharp")
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages", "torchsharp");
}
