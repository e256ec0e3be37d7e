using Headstart.Data;

namespace Headstart.ImageSearches;

/// <summary>A searchable catalogue of images on the web.</summary>
public interface IImageSource
{
    /// <summary>Its name in <see cref="ImageOrigin.Source"/> and in requests.</summary>
    string Name { get; }

    /// <param name="words">The search words.</param>
    /// <param name="licences">The allowed licences.</param>
    /// <param name="page">The value of <see cref="SourcePage.Next"/>; null for the first page.</param>
    Task<SourcePage> SearchAsync(string words, Licences licences, string? page, CancellationToken cancel);
}

/// <param name="Found">The images found, best first.</param>
/// <param name="Next">Names the next page; null if this is the last.</param>
/// <param name="Error">Why the source did not answer, as a sentence.</param>
public sealed record SourcePage(IReadOnlyList<ImageOrigin> Found, string? Next, string? Error = null)
{
    internal static SourcePage Failed(string source, string? why) => new([], null, $"{source} could not be searched: {why}");
}
