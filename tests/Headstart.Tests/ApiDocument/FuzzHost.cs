using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Postgres;
using Headstart.Tests.Predictions;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.ApiDocument;

/// <summary>A host with something under every kind of id: a trained model of images and one of texts, a batch, an import, a search, keys
/// and accounts.</summary>
public sealed class FuzzHost(TestPostgres postgres) : TrainedHost(postgres), IAsyncLifetime
{
    private readonly Dictionary<string, List<string>> _images = [], _texts = [], _disposable = [];

    protected override IEnumerable<(string Name, string Value)> Settings =>
    [
        ("Headstart:ImageSearches:Openverse", "http://127.0.0.1:1"), ("Headstart:ImageSearches:Wikimedia", "http://127.0.0.1:1"),
        ("Logging:LogLevel:Headstart.Errors.ExceptionProblems", "None"), // the test says what failed
    ];

    public new async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await AddImagesAsync();
        await AddTextsAsync();
        foreach (var ids in (IEnumerable<Dictionary<string, List<string>>>)[_images, _texts])
        {
            ids["keyId"] = [await MadeAsync("/api/v1/keys", new { name = "a key" })];
            ids["accountId"] = [await MadeAsync("/api/v1/accounts", new { name = $"Account {ids.Count}" })];
            ids["backbone"] = ["headstart-small", "squeezenet1.1"];
            ids["model"] = ids["id"];
            ids["number"] = ids["version"] = ["1"];
            ids["position"] = ["0", "1"];
        }

        for (var i = 0; i < 8; i++)
        {
            Disposable("id").Add(Last(await Client.NewModelAsync("cats")));
            Disposable("keyId").Add(await MadeAsync("/api/v1/keys", new { name = $"Key {i}" }));
            Disposable("accountId").Add(await MadeAsync("/api/v1/accounts", new { name = $"To go {i}" }));
        }
    }

    /// <summary>Something that exists for this parameter of a path; what it is may go where the operation deletes it. Null where there is
    /// no such thing.</summary>
    /// <param name="texts">Whether it is of the text model.</param>
    /// <param name="name">Of the parameter.</param>
    /// <param name="deletes">Whether the operation deletes what the parameter names.</param>
    public string? Existing(bool texts, string name, bool deletes, Random random)
    {
        var list = deletes && _disposable.TryGetValue(name, out var going) ? going : (texts ? _texts : _images).GetValueOrDefault(name);
        return list is { Count: > 0 } ? list[random.Next(list.Count)] : null;
    }

    private async Task AddImagesAsync()
    {
        var more = (await Client.AddAsync(Model, "cats",
            [Pictures.Png(1), .. Enumerable.Range(100, 12).Select(number => Pictures.Jpeg(number))]))
            .Select(image => (string)image!["id"]!).ToList();
        _disposable["imageId"] = more[1..];
        _images["id"] = [Last(Model)];
        _images["imageId"] = [.. await IdsAsync($"{Model}/images?limit=10"), more[0]];
        _images["runId"] = await IdsAsync($"{Model}/training-runs");
        _images["batchId"] = [await MadeAsync($"{Model}/batch-predictions", new { images = new { split = "test" } },
            HttpStatusCode.Accepted)];
        _images["importId"] = [await MadeAsync($"{Model}/images?async=true",
            new { images = new[] { new { url = "http://127.0.0.1:1/cat.jpg", category = "cats" } } }, HttpStatusCode.Accepted)];
        _images["searchId"] = [await MadeAsync($"{Model}/image-searches", new { queries = new { cats = "cat" }, perCategory = 1 },
            HttpStatusCode.Accepted)];
    }

    private async Task AddTextsAsync()
    {
        var model = await Client.NewTextModelAsync("pos", "neg");
        await Client.AddTextsAsync(model, TextFiles.Opinions(60));
        Assert.Equal("succeeded", (string?)(await Client.TrainAsync(model, new { backbone = "tfidf" }))["state"]);
        _texts["id"] = [Last(model)];
        var ids = await IdsAsync($"{model}/texts?limit=40");
        (_texts["textId"], _disposable["textId"]) = (ids[..20], ids[20..]);
        _texts["runId"] = await IdsAsync($"{model}/training-runs");
        await (await Client.SendAsync(HttpMethod.Patch, model, new { categories = new[] { "pos", "neg", "spare" } })).JsonAsync();
        _texts["changeId"] = [await MadeAsync($"{model}/categories/rename", new { from = "spare", into = "renamed" }, HttpStatusCode.OK)];
    }

    private List<string> Disposable(string name) => _disposable.TryGetValue(name, out var list) ? list : _disposable[name] = [];

    private async Task<string> MadeAsync(string path, object body, HttpStatusCode expected = HttpStatusCode.Created) =>
        (string)(await (await Client.PostAsync(path, body)).JsonAsync(expected))["id"]!;

    private async Task<List<string>> IdsAsync(string path) =>
        [.. (await Client.GetJsonAsync(path))["items"]!.AsArray().Select(item => (string)item!["id"]!)];

    private static string Last(string path) => path[(path.LastIndexOf('/') + 1)..];
}
