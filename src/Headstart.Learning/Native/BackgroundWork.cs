using System.Runtime.InteropServices;

namespace Headstart.Learning.Native;

/// <summary>Lowers the priority of work that nobody is waiting for.</summary>
public static partial class BackgroundWork
{
    private const int OfThread = 0; // PRIO_PROCESS, which on Linux means one thread
    private const int Niceness = 10; // a tenth of a busy core; the lowest would delay the garbage collector, which waits for threads

    /// <summary>Lets other threads go before this one and those it starts from now on. Does nothing except on Linux, where .NET's own
    /// priorities have no effect. It cannot be undone without privileges, so use it on a thread that ends with its work.</summary>
    public static void LowerPriority()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SetPriority(OfThread, 0, Niceness);
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int niceness);
}
