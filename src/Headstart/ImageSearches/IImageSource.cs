using Headstart.Data;

namespace Headstart.ImageSearches;

/// <summary>A catalogue of images on the web that can be asked for words.</summary>
public interface IImageSource
{
    /// <summary>As in <see cref="ImageOrigin.Source"/> and in requests.</summary>
    string Name { get; }

    /// <param name="words">What the images should show.</param>
    /// <param name="licences">Which may be used.</param>
    /// <param name="page">What <see cref="SourcePage.Next"/> said; null for the first page.</param>
    /// <param name="cancel">Ends the waiting.</param>
    Task<SourcePage> SearchAsync(string words, Licences licences, string? page, CancellationToken cancel);
}

/// <param name="Found">Best first.</param>
/// <param name="Next">Names the page after this one; null where there is none.</param>
/// <param name="Error">Why the source has no answer, as a sentence.</param>
public sealed record SourcePage(IReadOnlyList<ImageOrigin> Found, string? Next, string? Error = null)
{
    internal static SourcePage Failed(string source, string? why) => new([], null, $"{source} could not be searched: {why}");
}
