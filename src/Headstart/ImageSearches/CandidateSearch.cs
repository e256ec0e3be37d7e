using Headstart.Data;

namespace Headstart.ImageSearches;

/// <summary>Queries the sources in turn, page by page, until there are enough URLs or no more.</summary>
internal sealed class CandidateSearch(IEnumerable<IImageSource> sources, Licences licences)
{
    /// <summary>More than requested, since some cannot be downloaded, are duplicates or do not match.</summary>
    private static int Wanted(int perCategory) => perCategory + perCategory / 2 + 10;

    /// <returns>Images from the sources in turn, each source's best first; and why a source returned fewer than possible.</returns>
    public async Task<(List<ImageOrigin> Found, List<string> Notices)> FindAsync(string words, int perCategory, CancellationToken cancel)
    {
        var wanted = Wanted(perCategory);
        var (found, notices, known) = (new List<List<ImageOrigin>>(), new List<string>(), new HashSet<string>());
        List<(IImageSource Source, string? Page, List<ImageOrigin> Found)> open =
            [.. sources.Select(source => (source, (string?)null, new List<ImageOrigin>()))];
        found.AddRange(open.Select(o => o.Found));
        while (open.Count > 0 && found.Sum(list => list.Count) < wanted)
        {
            var pages = await Task.WhenAll(open.Select(o => o.Source.SearchAsync(words, licences, o.Page, cancel)));
            foreach (var (page, (_, _, list)) in pages.Zip(open))
            {
                list.AddRange(page.Found.Where(origin => known.Add(origin.Url)));
                notices.AddRange(page.Error is null ? [] : [page.Error]);
            }

            open = [.. open.Zip(pages, (o, page) => (o.Source, Page: page.Next, o.Found)).Where(o => o.Page is not null)];
        }

        var inTurn = Enumerable.Range(0, found.Max(list => (int?)list.Count) ?? 0)
            .SelectMany(i => found.Where(list => i < list.Count).Select(list => list[i]));
        return ([.. inTurn.Take(wanted)], notices);
    }
}
