namespace Headstart.Learning.Tests;

internal static class Memory
{
    public const long MiB = 1024 * 1024;

    /// <summary>Bytes this process occupies, native memory included.</summary>
    public static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet;
    }
}

/// <summary>For tests that look at the memory of the whole process: nothing else may run beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
