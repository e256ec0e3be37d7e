using Headstart.Uploads.Storing;

namespace Headstart.Web;

/// <summary>A model's images loaded by an open page, newest first, without recently deleted ones that can still be
/// restored.</summary>
internal sealed class LoadedImages
{
    /// <summary>Maximum number of images that an open page keeps in the host's memory, at about half a kilobyte each.</summary>
    public const int Most = 20_000;

    private readonly Dictionary<Guid, ImageResponse> _known = [];
    private readonly List<IReadOnlyList<Guid>> _removals = [];
    private HashSet<Guid> _removed = [];
    private List<ImageResponse>? _all;

    public IReadOnlyList<ImageResponse> All =>
        _all ??= [.. _known.Values.Where(image => !_removed.Contains(image.Id)).OrderByDescending(image => image.Id)];

    public ImageResponse? Find(Guid id) => _removed.Contains(id) ? null : _known.GetValueOrDefault(id);

    /// <summary>Loads page by page, so the first images appear at once.</summary>
    public async Task LoadAsync(ApiCalls api, string model, Action changed, CancellationToken cancel)
    {
        string? after = null;
        var loaded = 0; // not the known ones: a reload renews all of them
        do
        {
            var page = await PageAsync(api, model, after, cancel);
            after = page?.Next;
            loaded += page?.Items.Count ?? 0;
            changed();
        }
        while (after is not null && loaded < Most);
    }

    /// <summary>Loads newer images, back to the first known one.</summary>
    public async Task LoadNewAsync(ApiCalls api, string model, CancellationToken cancel)
    {
        string? after = null;
        do
        {
            var before = _known.Count;
            var page = await PageAsync(api, model, after, cancel);
            after = page is not null && _known.Count - before == page.Items.Count ? page.Next : null;
        }
        while (after is not null && _known.Count < Most);
    }

    public void Put(ImageResponse image)
    {
        _known[image.Id] = image;
        _all = null;
    }

    /// <summary>Hides images until <see cref="Return"/> or <see cref="Settle"/>.</summary>
    /// <returns>The removal to pass to <see cref="Return"/> or <see cref="Settle"/>.</returns>
    public IReadOnlyList<Guid> Remove(IReadOnlyList<Guid> ids)
    {
        _removals.Add(ids);
        Hide();
        return ids;
    }

    public void Return(IReadOnlyList<Guid> removal)
    {
        _removals.Remove(removal);
        Hide();
    }

    /// <summary>Makes a removal final.</summary>
    /// <returns>The images to delete; none if it was settled before.</returns>
    public IReadOnlyList<Guid> Settle(IReadOnlyList<Guid> removal)
    {
        if (!_removals.Remove(removal))
        {
            return [];
        }

        foreach (var id in removal)
        {
            _known.Remove(id);
        }

        Hide();
        return removal;
    }

    public IReadOnlyList<Guid> SettleAll() => [.. _removals.ToList().SelectMany(Settle)];

    private void Hide()
    {
        _removed = [.. _removals.SelectMany(ids => ids)];
        _all = null;
    }

    private async Task<Page<ImageResponse>?> PageAsync(ApiCalls api, string model, string? after, CancellationToken cancel)
    {
        var page = await api.GetAsync<Page<ImageResponse>>(
            $"{model}/images?limit={Page.MaxLimit}{(after is null ? "" : $"&after={after}")}", cancel);
        foreach (var image in page.Value?.Items ?? [])
        {
            Put(image);
        }

        return page.Value;
    }
}
