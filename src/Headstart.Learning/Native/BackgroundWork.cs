using System.Runtime.InteropServices;

namespace Headstart.Learning.Native;

/// <summary>For work that nobody waits for.</summary>
public static partial class BackgroundWork
{
    private const int OfThread = 0; // PRIO_PROCESS, which on Linux means one thread
    private const int Niceness = 10; // a tenth of a busy core; least of all would hold up the garbage collector, which waits for threads

    /// <summary>
    /// Lets other threads go first from now on: this one, and those it starts. Does nothing but on Linux, where .NET's own priorities have
    /// no effect. There is no way back without privileges, so it is for a thread that ends with its work.
    /// </summary>
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
