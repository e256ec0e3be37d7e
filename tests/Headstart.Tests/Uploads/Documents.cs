namespace Headstart.Tests.Uploads;

/// <summary>Tables of docs/uploads.md that tests write.</summary>
internal static class Documents
{
    /// <summary>The rows stand below this head. HEADSTART_UPDATE_DOCS=1 writes them there.</summary>
    public static async Task TableAsync(string head, string rows)
    {
        var file = Repository.PathOf("docs", "uploads.md");
        var text = await File.ReadAllTextAsync(file, Api.Cancel);
        var start = text.IndexOf(head, StringComparison.Ordinal) + head.Length;
        var end = text.IndexOf("\n\n", start, StringComparison.Ordinal) + 1;
        if (Environment.GetEnvironmentVariable("HEADSTART_UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(file, text[..start] + rows + text[end..], Api.Cancel);
        }
        else
        {
            Assert.Equal(text[start..end], rows);
        }
    }
}
