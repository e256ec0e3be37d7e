namespace Headstart.Tests;

/// <summary>Programs that a few tests need and not everybody has. The test asks, never its fixture: a fixture that skips makes its tests
/// fail.</summary>
internal static class Needs
{
    // Debian has nginx in /usr/sbin, where not everybody looks.
    private static readonly string[] Places =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin"];

    public static bool Has(string program) =>
        Places.Any(place => File.Exists(Path.Combine(place, program)) || File.Exists(Path.Combine(place, $"{program}.exe")));

    /// <summary>Skips the test where one of them is missing.</summary>
    public static void Programs(params string[] programs)
    {
        var missing = programs.Where(program => !Has(program)).ToList();
        Assert.SkipWhen(missing.Count > 0, $"{string.Join(" and ", missing)} must be installed for this test.");
    }
}
