namespace Headstart.Tests.ApiDocument;

/// <summary>The answers that the documentation shows have the fields that answers have today.</summary>
public sealed class SampleCheckTests
{
    private readonly SampleCheck _check = new(new(DocumentedOperation.ReadDocument()));

    [Theory]
    [InlineData(1, "README.md")]
    [InlineData(15, "docs", "api.md")]
    public async Task The_pages_show_answers_as_they_are(int atLeast, params string[] page)
    {
        var (answers, wrong) = _check.Of(await File.ReadAllTextAsync(Repository.PathOf(page), Api.Cancel));

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.True(answers >= atLeast, $"Only {answers} answers were found.");
    }

    [Theory]
    [InlineData("""{"name":"k","ready":true}""", null)]
    [InlineData("""{ … "ready":true}""", null)]
    [InlineData("""{"name":"k"}""", "the field ready is missing")]
    [InlineData("""{ … "redy":true}""", "there is no field redy")]
    public void An_answer_that_is_not_as_documented_is_found(string answer, string? wrong)
    {
        var (answers, found) = _check.Of($"```sh\ncurl -s $HOST/v2/models/pets/ready -H \"$auth\"\n```\n```json\n{answer}\n```\n");

        Assert.Equal(1, answers);
        Assert.True(wrong is null ? found.Count == 0 : found.Single().Contains(wrong, StringComparison.Ordinal), string.Join('\n', found));
    }
}
