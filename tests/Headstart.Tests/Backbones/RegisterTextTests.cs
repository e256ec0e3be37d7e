using System.Net;
using System.Text;
using Headstart.Tests.Access;
using Headstart.Tests.Postgres;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Backbones;

/// <summary>Word vectors that users bring themselves.</summary>
public sealed class RegisterTextTests(RegisterTextTests.Host host) : IClassFixture<RegisterTextTests.Host>
{
    internal const string Words = "good 1 0 0.5\nfine 0.9 0.1 0.5\nbad -1 0 0.5\npoor -0.9 0.1 0.5\ncat 0 1 0.25\ndog 0 1 0.5\n";

    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Word_vectors_are_taken_in_train_at_once_and_stay_as_long_as_a_version_needs_them()
    {
        var ours = await (await _client.RegisterTextAsync(Words, "Our words.txt")).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(("our-words", "wordVectors", 3, true, true),
            ((string?)ours["id"], (string?)ours["kind"], (int?)ours["features"], (bool?)ours["present"], (bool?)ours["registered"]));
        Assert.Equal(ours.ToJsonString(), (await _client.TextBackboneAsync("our-words"))!.ToJsonString());

        var model = await ModelAsync();
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model, new { backbone = "our-words-tuned" }))["state"]);
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model, new { backbone = "our-words" }))["state"]);
        Assert.Equal("positive", (await _client.AskAsync(model, "a fine dog"))["predictions"]![0]!.BestLabel());

        await (await _client.DeleteAsync($"{Register.TextPath}/our-words", Api.Cancel))
            .ProblemAsync(HttpStatusCode.Conflict, "backbone-in-use");
        await _client.DeleteAsync(model, Api.Cancel);
        Assert.Equal(HttpStatusCode.NoContent, (await _client.DeleteAsync($"{Register.TextPath}/our-words", Api.Cancel)).StatusCode);
        Assert.Null(await _client.TextBackboneAsync("our-words"));
        await (await _client.DeleteAsync($"{Register.TextPath}/our-words", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "backbone-not-found");
        Assert.Empty(Files("our-words"));
    }

    [Fact]
    public async Task The_same_file_again_is_the_same_and_no_other_takes_a_name_that_would_mean_two_things()
    {
        const string Same = Words + "same 1 0 1\n"; // what another test registers would be answered with its own name
        var first = await (await _client.RegisterTextAsync(Same, "same.txt")).JsonAsync(HttpStatusCode.Created);

        Assert.Equal(first.ToJsonString(), (await (await _client.RegisterTextAsync(Same, "other.txt")).JsonAsync()).ToJsonString());
        foreach (var id in new[] { "same", "same-sif", "same-tuned", "tfidf", "skipgram", "skipgram-sif" })
        {
            await (await _client.RegisterTextAsync(Same + "new 1 1 1\n", "x.txt", id))
                .ProblemAsync(HttpStatusCode.Conflict, "backbone-exists");
        }

        Assert.Equal((string?)first["sha256"], (string?)(await _client.TextBackboneAsync("same"))!["sha256"]);
        Assert.Single(Files("same"));
    }

    [Theory]
    [InlineData("words.onnx", Words, "must be a .txt or .txt.gz file")]
    [InlineData("words.txt", "good 1 2\nbad 1\n", "words.txt cannot be read as word vectors: line 2 has 1 values")]
    [InlineData("words.txt", "good 1 2\nbad 1 x\n", "'x' in line 2 is not a number")]
    [InlineData("words.txt", "", "it is empty")]
    [InlineData("words.txt.gz", "good 1 2\nbad 1 3\n", "words.txt.gz cannot be read as word vectors")]
    public async Task A_file_that_is_no_word_vectors_is_refused_with_the_line_and_leaves_nothing(string name, string content,
        string because)
    {
        var problem = await (await _client.RegisterTextAsync(content, name))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unusable-backbone");

        Assert.Contains(because, (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Empty(Files("words"));
        Assert.Empty(Directory.GetFiles(Path.Combine(host.DataFolder, "backbones"), "*.upload", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_line_without_an_end_ids_that_are_paths_and_large_files_are_refused()
    {
        await (await _client.RegisterTextAsync(string.Concat(Enumerable.Repeat("good 1 ", 10_000)), "long.txt"))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unusable-backbone");
        await (await _client.RegisterTextAsync(Words, "x.txt", "../../x"))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-field");
        await (await _client.RegisterTextAsync(new string('x', Host.Limit + 1), "large.txt"))
            .ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");
        using var none = Api.Form(null);
        none.Add(new StringContent("x"), "id");
        await (await _client.PostAsync(Register.TextPath, none, Api.Cancel)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-file");
    }

    [Fact]
    public async Task Only_an_operator_registers_and_deletes()
    {
        var (_, key) = await host.NewKeyAsync(admin: false);
        using var client = host.ClientWith(key);

        await (await client.PostAsync(Register.TextPath, Api.Form(null, ("x.txt", Encoding.UTF8.GetBytes(Words))), Api.Cancel))
            .ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        await (await client.DeleteAsync($"{Register.TextPath}/anything", Api.Cancel)).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
    }

    private async Task<string> ModelAsync()
    {
        var model = await _client.NewTextModelAsync("positive", "negative");
        await _client.AddTextsAsync(model, from word in (string[])["good", "fine", "bad", "poor"]
                                           from noun in (string[])["cat", "dog", "day", "end"]
                                           select (word is "good" or "fine" ? "positive" : "negative", $"a {word} {noun}"));
        return model;
    }

    private string[] Files(string name) => [.. Directory.GetFiles(Path.Combine(host.DataFolder, "backbones"), $"{name}*",
        SearchOption.AllDirectories)];

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        public const int Limit = 100_000;

        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Backbones:MaxUploadBytes", $"{Limit}")];
    }
}
