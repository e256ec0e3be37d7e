namespace Headstart.Benchmarks.Text;

/// <summary>Texts and their labels, indices into the categories.</summary>
internal sealed record TextSet(IReadOnlyList<string> Texts, IReadOnlyList<int> Labels, IReadOnlyList<string> Categories)
{
    public int Count => Texts.Count;

    /// <summary>Reads <c>label TAB text</c> lines after a header; lines without a label are left out.</summary>
    public static TextSet Read(string path)
    {
        var rows = File.ReadLines(path).Skip(1).Select(line => line.Split('\t', 2)).Where(row => row is [{ Length: > 0 }, _]).ToList();
        string[] categories = [.. rows.Select(row => row[0]).Distinct().Order(StringComparer.Ordinal)];
        return new([.. rows.Select(row => row[1])], [.. rows.Select(row => Array.IndexOf(categories, row[0]))], categories);
    }

    public void Write(string path) =>
        File.WriteAllLines(path, Texts.Select((text, i) => $"{Categories[Labels[i]]}\t{text}").Prepend("label\ttext"));

    public TextSet Some(IEnumerable<int> rows)
    {
        int[] chosen = [.. rows];
        return new([.. chosen.Select(i => Texts[i])], [.. chosen.Select(i => Labels[i])], Categories);
    }

    /// <summary>This many random texts of each category, and all others.</summary>
    public (TextSet Drawn, TextSet Others) Draw(int perCategory, Random random)
    {
        int[] order = [.. Enumerable.Range(0, Count)];
        random.Shuffle(order);
        var drawn = Categories.SelectMany((_, k) => order.Where(i => Labels[i] == k).Take(perCategory)).ToHashSet();
        return (Some(order.Where(drawn.Contains)), Some(order.Where(i => !drawn.Contains(i))));
    }
}
