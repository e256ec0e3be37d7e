namespace Headstart.Tests;

/// <summary>What a few tests need and not everybody has: programs, and time. The test asks, never its fixture: a fixture that skips makes
/// its tests fail.</summary>
internal static class Needs
{
    // Debian has nginx in /usr/sbin, where not everybody looks.
    private static readonly string[] Places =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin"];

    /// <summary>Whether the tests that take long run, which a bare clone skips.</summary>
    public static bool HasTime { get; } =
        SharedFolder.Root is not null || Environment.GetEnvironmentVariable("HEADSTART_TESTS") == "all";

    public static bool Has(string program) =>
        Places.Any(place => File.Exists(Path.Combine(place, program)) || File.Exists(Path.Combine(place, $"{program}.exe")));

    /// <summary>Skips the test where one of them is missing.</summary>
    public static void Programs(params string[] programs)
    {
        var missing = programs.Where(program => !Has(program)).ToList();
        Assert.SkipWhen(missing.Count > 0, $"{string.Join(" and ", missing)} must be installed for this test.");
    }

    /// <summary>Skips a test that takes long, because it starts and kills programs, trains often or repeats itself.</summary>
    public static void Time() =>
        Assert.SkipUnless(HasTime, "Takes long: runs where HEADSTART_TESTS is \"all\" or HEADSTART_SHARED names a folder.");
}
