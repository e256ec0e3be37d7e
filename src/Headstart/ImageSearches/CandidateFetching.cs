using Headstart.Blobs;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Files;

namespace Headstart.ImageSearches;

/// <summary>Downloads candidates into the blob store, and reads them from there.</summary>
internal sealed class CandidateFetching(WebFetcher web, IBlobStore blobs, Settings settings)
{
    private readonly ImageLimits _limits = settings.Uploads.ImageLimits;

    /// <returns>Fetched, or dropped with the reason.</returns>
    public async Task<Move> FetchAsync(SearchCandidate candidate, CancellationToken cancel)
    {
        var file = await web.FetchAsync(candidate.Origin.Url, settings.Uploads.MaxFileBytes, cancel);
        if (file.Bytes is not { } bytes)
        {
            return new(candidate.Position, CandidateState.Dropped, file.Reason, file.Detail);
        }

        return await Task.Run(() => ImageReader.Check(bytes, _limits, out _), cancel) is { } refusal
            ? new(candidate.Position, CandidateState.Dropped, refusal.Reason, refusal.Detail)
            : new(candidate.Position, CandidateState.Fetched, Sha256: await blobs.PutAsync(bytes, cancel));
    }

    /// <summary>The candidates as files of an upload, without those that the blob store has lost.</summary>
    public async IAsyncEnumerable<UploadedFile> ReadAsync(IEnumerable<SearchCandidate> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (await blobs.GetAsync(candidate.Sha256!, CancellationToken.None) is { } bytes)
            {
                yield return new(NameOf(candidate), new FileContent.Here(bytes, candidate.Origin), [candidate.Category]);
            }
        }
    }

    /// <summary>The name of the file of a candidate.</summary>
    public static string NameOf(SearchCandidate candidate) => candidate.Origin.Title ?? candidate.Origin.Url;
}
