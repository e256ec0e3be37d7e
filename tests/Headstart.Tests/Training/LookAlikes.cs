using Headstart.Learning.Imaging;

namespace Headstart.Tests.Training;

/// <summary>Pictures of one scene, as a camera that does not move takes them.</summary>
internal static class LookAlikes
{
    /// <summary>So many files that show the same as a photograph, each in another size.</summary>
    public static IEnumerable<byte[]> Of(string photograph, int count, int largest = 120)
    {
        var bytes = File.ReadAllBytes(photograph);
        return Enumerable.Range(0, count).Select(i => ImageReader.Thumbnail(bytes, largest - 3 * i));
    }

    public static IEnumerable<(string Name, byte[] Bytes)> In(string folder, IEnumerable<byte[]> pictures) =>
        pictures.Select((bytes, i) => ($"{folder}/{i}.jpg", bytes));

    public static IEnumerable<(string Name, byte[] Bytes)> In(string folder, IEnumerable<string> files) =>
        In(folder, files.Select(File.ReadAllBytes));
}
