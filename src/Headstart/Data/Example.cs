using System.Buffers.Binary;
using Headstart.Learning.Imaging;

namespace Headstart.Data;

public enum Split
{
    Train,
    Test,
}

/// <summary>An example: an image, whose bytes are the blob named by <see cref="Sha256"/>, or in a text model a text, which is
/// here.</summary>
public sealed class Example
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    /// <summary>One in a model whose categories exclude each other, none for a text without a category; any number where categories do not
    /// exclude each other.</summary>
    public List<ExampleLabel> Labels { get; init; } = [];

    /// <summary>Where the objects are, in a detection model; its labels are then the categories of its boxes.</summary>
    public List<ExampleBox> Boxes { get; init; } = [];

    /// <summary>In a detection model, whether somebody has said what the image shows: without, nothing is learned from it; with it, an
    /// image without boxes is an example of nothing there. False in other models.</summary>
    public bool BoxesKnown { get; init; }

    /// <summary>What the sender called it, for people to read. It never becomes a path.</summary>
    public required string FileName { get; init; }

    /// <summary>The example, where it is a text: trimmed, its lines ended by <c>\n</c>. Its UTF-8 is what <see cref="Sha256"/> is of. Else
    /// null.</summary>
    public string? Text { get; init; }

    public required byte[] Sha256 { get; init; }

    /// <summary>For a text <c>text/plain</c>, and its width and height are 0.</summary>
    public required string MediaType { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>What makes an image a bad example, as it was found at upload; nothing for a text.</summary>
    public ImageFlaws Flaws { get; init; }

    public required int Bytes { get; init; }

    /// <summary>
    /// As a person gave it, else <see cref="SplitOf"/>, until a run must learn from it, because too few of its category are left or it
    /// looks like a training example: then it is one.
    /// </summary>
    public required Split Split { get; init; }

    /// <summary>Whether a person gave the side. Such a test example is never learned from, and only a person moves it.</summary>
    public required bool SplitGiven { get; init; }

    /// <summary>A person confirmed the category, so it is no longer reported as suspicious.</summary>
    public bool Confirmed { get; init; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>Where it was found, for an image that came from the web.</summary>
    public ImageOrigin? Origin { get; init; }

    /// <summary>
    /// A fifth of all images is held out, decided by the content alone where the sender did not say which: an image stays on its side
    /// however often it is uploaded, deleted and moved, and however much data comes after it.
    /// </summary>
    public static Split SplitOf(ReadOnlySpan<byte> sha256) =>
        BinaryPrimitives.ReadUInt32BigEndian(sha256) % 5 == 0 ? Split.Test : Split.Train;
}

/// <summary>Source and licence of an image from the web: the attribution to show with it.</summary>
/// <param name="Url">URL of the file.</param>
/// <param name="Page">URL of the page that describes it.</param>
/// <param name="Licence">Name of the licence, as its source gives it, such as <c>CC BY-SA 4.0</c>.</param>
/// <param name="LicenceUrl">URL of the licence.</param>
/// <param name="Source">Which source found it, such as <c>wikimedia</c>; null if a user gave the URL.</param>
public sealed record ImageOrigin(
    string Url, string? Page = null, string? Title = null, string? Author = null, string? Licence = null, string? LicenceUrl = null,
    string? Source = null)
{
    private const int MaxLength = 8_000;

    /// <summary>Whether its links are web addresses and its texts short: those of an upload become links of a page.</summary>
    public bool IsSafe() => Url is not null && IsAddress(Url) && IsAddress(Page) && IsAddress(LicenceUrl)
        && new[] { Url, Page, Title, Author, Licence, LicenceUrl, Source }.All(text => text is null or { Length: <= MaxLength });

    private static bool IsAddress(string? text) =>
        text is null || (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https");
}

/// <summary>That an image shows an object of a category, and where: relative to the width and height of the upright image, from its top
/// left corner.</summary>
public sealed class ExampleBox
{
    public required Guid Id { get; init; }

    public required Guid ExampleId { get; init; }

    /// <summary>The example has a label of this category, too.</summary>
    public required Guid CategoryId { get; init; }

    /// <summary>Boxes are shown in the order in which they were given.</summary>
    public required int Position { get; init; }

    public required float X { get; init; }

    public required float Y { get; init; }

    public required float Width { get; init; }

    public required float Height { get; init; }

    /// <summary>Neither learned from nor counted as missed: hard to see (Pascal VOC), or a crowd (COCO).</summary>
    public required bool Difficult { get; init; }
}

/// <summary>That an image shows a category.</summary>
public sealed class ExampleLabel
{
    public required Guid ExampleId { get; init; }

    public required Guid CategoryId { get; init; }
}
