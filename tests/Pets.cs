namespace Headstart.Tests;

/// <summary>60 photographs of cats and dogs that come with the tests, so that the main job is tried wherever the project is cloned: those
/// of NanoNets' tutorial (github.com/NanoNets/tutorials, MIT), shrunk to at most 256 pixels.</summary>
internal static class Pets
{
    public static string Folder { get; } = Path.Combine(SharedFolder.Checkout(), "tests", "Photographs", "cats_dogs");

    public static string[] Cats { get; } = Of("cats");

    public static string[] Dogs { get; } = Of("dogs");

    public static byte[] Cat => File.ReadAllBytes(Cats[0]);

    /// <summary>Those of one category, <c>cats</c> or <c>dogs</c>.</summary>
    public static string[] Of(string category) => [.. Directory.GetFiles(Path.Combine(Folder, category)).Order(StringComparer.Ordinal)];
}
