namespace Headstart.Tests.Source;

/// <summary>Lines have the width that .editorconfig says, which no formatter enforces. Text in raw strings and data with escapes may be
/// longer.</summary>
public sealed class LineWidthTests
{
    private const int Columns = 140;

    [Fact]
    public void No_line_of_code_is_wider_than_the_editor_shows()
    {
        var files = new[] { "src", "tests" }
            .SelectMany(folder => Directory.GetFiles(Repository.PathOf(folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("Migrations", StringComparison.Ordinal)
                && !file.EndsWith("ModelCard.cs", StringComparison.Ordinal))
            .ToList();
        Assert.True(files.Count > 300);

        Assert.Equal([], files.SelectMany(Wide));
    }

    private static IEnumerable<string> Wide(string file)
    {
        var raw = false;
        foreach (var (number, line) in File.ReadLines(file).Index())
        {
            var quotes = line.Split("\"\"\"").Length - 1;
            var text = raw || quotes > 0 || line.Contains("\\\"", StringComparison.Ordinal)
                || line.Contains("\\n", StringComparison.Ordinal);
            raw ^= quotes % 2 == 1;
            if (line.Length > Columns && !text)
            {
                yield return $"{file}:{number + 1} has {line.Length}";
            }
        }
    }
}
