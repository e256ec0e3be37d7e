using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using TorchSharp;

namespace Headstart.Learning.Native;

/// <summary>Starts libtorch once. TorchSharp 0.107.0 requires GLIBCXX_3.4.32 for a symbol that it never calls, so it does not load on
/// Debian 12 and Ubuntu 22.04. If the plain load fails, this loads a private copy in which that requirement is weak.</summary>
public static partial class TorchRuntime
{
    private const string Library = "LibTorchSharp";
    private const string NeedlessVersion = "GLIBCXX_3.4.32";
    private const uint CloseOnExec = 1; // MFD_CLOEXEC
    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Loads libtorch on first use. Thread-safe.</summary>
    /// <exception cref="DllNotFoundException">The native library is missing or cannot be loaded on this system.</exception>
    public static void EnsureLoaded() => _ = Started.Value;

    private static bool Start()
    {
        if (OperatingSystem.IsLinux())
        {
            // The call below sets the number for this thread only. All others, such as those of a cross-validation, take it from here;
            // .NET's own call does not reach native code. With several threads, equal fits also differed in their last digits.
            _ = SetEnvironmentVariable("OMP_NUM_THREADS", "1", overwrite: 0);
            LoadOnLinux(typeof(torch).Assembly);
        }

        // libtorch's threads spin while they wait for each other. On cores that predictions and other runs need as well, two of them took
        // 118 s for what one does in 49 s; on idle cores they gain little at the sizes of a head.
        torch.set_num_threads(1);
        return true;
    }

    private static void LoadOnLinux(Assembly torchSharp)
    {
        // The copy is in another folder and finds these only because they are already loaded.
        foreach (var dependency in (string[])["c10", "torch_cpu", "torch"])
        {
            NativeLibrary.Load(dependency, torchSharp, searchPath: null);
        }

        if (NativeLibrary.TryLoad(Library, torchSharp, searchPath: null, out _))
        {
            return;
        }

        var cured = LoadCuredCopy(FindLibrary(torchSharp));
        NativeLibrary.SetDllImportResolver(torchSharp, (name, _, _) => name == Library ? cured : nint.Zero);
    }

    private static string FindLibrary(Assembly torchSharp)
    {
        var folders = ((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string) ?? "").Split(Path.PathSeparator)
            .Append(Path.GetDirectoryName(torchSharp.Location) ?? "")
            .Append(AppContext.BaseDirectory);
        return folders.Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, $"lib{Library}.so"))
            .FirstOrDefault(File.Exists) ?? throw new DllNotFoundException($"lib{Library}.so is not among the application's files.");
    }

    private static nint LoadCuredCopy(string original)
    {
        var bytes = File.ReadAllBytes(original);
        var name = $"lib{Library}-{Convert.ToHexStringLower(SHA256.HashData(bytes))}.so";
        WeakVersions.Weaken(bytes, NeedlessVersion);
        if (CacheFolder() is { } cache)
        {
            return NativeLibrary.Load(PrivateFile.Write(Path.Combine(cache, name), bytes));
        }

        // No home folder, and perhaps no writable folder at all: use a file in memory, which is gone once the library is mapped.
        using var memory = new SafeFileHandle(CreateMemoryFile(name, CloseOnExec), ownsHandle: true);
        RandomAccess.Write(memory, bytes, 0);
        return NativeLibrary.Load($"/proc/self/fd/{memory.DangerousGetHandle()}");
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironmentVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemoryFile(string name, uint flags);

    private static string? CacheFolder()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        if (home.Length == 0)
        {
            return null;
        }

        try
        {
            var cache = Path.Combine(home, "headstart", "native");
            PrivateFile.CreateFolder(cache);
            return cache;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
