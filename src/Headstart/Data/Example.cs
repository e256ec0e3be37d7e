using System.Buffers.Binary;
using System.Text.Json.Serialization;
using Headstart.Learning.Imaging;

namespace Headstart.Data;

public enum Split
{
    Train,
    Test,
}

/// <summary>An example: an image, whose bytes are the blob named by <see cref="Sha256"/>, or in a text model a text, stored in this
/// row.</summary>
public sealed class Example
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    /// <summary>Exactly one if the model's categories exclude each other, but none for a text without a category; otherwise any
    /// number.</summary>
    public List<ExampleLabel> Labels { get; init; } = [];

    /// <summary>The objects in a detection model; the labels are then the categories of the boxes.</summary>
    public List<ExampleBox> Boxes { get; init; } = [];

    /// <summary>In a detection model, whether a user has said what the image shows. If false, nothing is learned from it; if true, an image
    /// without boxes is an example of nothing to find. False in other models.</summary>
    public bool BoxesKnown { get; init; }

    /// <summary>The sender's file name, only for display, never used as a path.</summary>
    public required string FileName { get; init; }

    /// <summary>The text, trimmed and with <c>\n</c> line ends; <see cref="Sha256"/> is the hash of its UTF-8. null for an
    /// image.</summary>
    public string? Text { get; init; }

    public required byte[] Sha256 { get; init; }

    /// <summary><c>text/plain</c> for a text, whose width and height are 0.</summary>
    public required string MediaType { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>Flaws found at upload that make an image a bad example; none for a text.</summary>
    public ImageFlaws Flaws { get; init; }

    public required int Bytes { get; init; }

    /// <summary>
    /// Given by a user, otherwise <see cref="SplitOf"/>. A run may move a test example of <see cref="SplitOf"/> to training: if too few of
    /// its category are left to learn from, or if it looks like a training example.
    /// </summary>
    public required Split Split { get; init; }

    /// <summary>Whether a user chose the split. Such a test example is never learned from, and only a user moves it.</summary>
    public required bool SplitGiven { get; init; }

    /// <summary>Whether a user confirmed the category, so that it is no longer reported as suspicious.</summary>
    public bool Confirmed { get; init; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>Source of an image from the web.</summary>
    public ImageOrigin? Origin { get; init; }

    /// <summary>
    /// Holds out a fifth of all images, by content alone unless the sender chose: an image stays in its split however often it is uploaded,
    /// deleted and moved, and however much data is added.
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
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ImageOrigin(
    string Url, string? Page = null, string? Title = null, string? Author = null, string? Licence = null, string? LicenceUrl = null,
    string? Source = null)
{
    private const int MaxLength = 8_000;

    /// <summary>Whether its URLs are web addresses and its texts short: pages show those of an upload as links.</summary>
    public bool IsSafe() => Url is not null && IsAddress(Url) && IsAddress(Page) && IsAddress(LicenceUrl)
        && new[] { Url, Page, Title, Author, Licence, LicenceUrl, Source }.All(text => text is null or { Length: <= MaxLength });

    private static bool IsAddress(string? text) =>
        text is null || (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https");
}

/// <summary>An object in an image: its category and position, relative to the width and height of the upright image, from the top left
/// corner.</summary>
public sealed class ExampleBox
{
    public required Guid Id { get; init; }

    public required Guid ExampleId { get; init; }

    /// <summary>The example also has a label of this category.</summary>
    public required Guid CategoryId { get; init; }

    /// <summary>Boxes are shown in the order in which they were sent.</summary>
    public required int Position { get; init; }

    public required float X { get; init; }

    public required float Y { get; init; }

    public required float Width { get; init; }

    public required float Height { get; init; }

    /// <summary>Not learned from, and not counted if missed: hard to see (Pascal VOC), or a crowd (COCO).</summary>
    public required bool Difficult { get; init; }
}

/// <summary>A category of an example.</summary>
public sealed class ExampleLabel
{
    public required Guid ExampleId { get; init; }

    public required Guid CategoryId { get; init; }
}
