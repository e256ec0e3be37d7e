using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

/// <summary>Movie reviews from the shared folder, and sentences made here where the shared folder is not needed.</summary>
internal static class Reviews
{
    public static readonly string[] Categories = ["neg", "pos"];

    public static (string[] Texts, int[] Labels) Sst2(string file, int count)
    {
        var rows = File.ReadLines(Path.Combine(SharedData.Folder("datasets/text/sst2"), file)).Skip(1).Take(count)
            .Select(line => line.Split('\t', 2)).ToList();
        return ([.. rows.Select(row => row[1])], [.. rows.Select(row => Array.IndexOf(Categories, row[0]))]);
    }

    public static IReadOnlyList<RegisteredText> Registered() => RegisteredText.Find([SharedData.Folder("backbones")]).Found;

    /// <summary>Sentences of two subjects that share no words but the small ones.</summary>
    public static string[] Subjects(int count, int seed)
    {
        string[][] words = [["cat", "dog", "horse", "bird", "feeds", "runs", "fur", "barks"],
            ["stock", "bond", "market", "price", "rises", "falls", "trade", "profit"]];
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
            string.Join(' ', Enumerable.Range(0, 10).Select(_ => random.Next(4) == 0 ? "the" : words[i % 2][random.Next(8)])))];
    }

    public static byte[] Bytes(TextFeatures features)
    {
        using var stream = new MemoryStream();
        features.Save(stream);
        return stream.ToArray();
    }

    public static double Cosine(TextFeatures features, string a, string b) =>
        features.Of(a).Zip(features.Of(b), (x, y) => (double)x * y).Sum();
}
