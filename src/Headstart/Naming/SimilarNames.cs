using System.Globalization;
using System.Text;
using Headstart.Learning.Texts;

namespace Headstart.Naming;

/// <summary>
/// Names that differ only in what people overlook: case, width, blanks, and letters of other alphabets that look the same (the idea of
/// Unicode Technical Standard 39, with the letters that keyboards and tables actually mix). They may be different on purpose, so they are
/// pointed out and only merged on request.
/// </summary>
public static class SimilarNames
{
    // Pairs of a character and the Latin one that it resembles. Capitals first: В looks like B, but в not like b.
    private const string Capitals = "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹCϺM" // Greek
        + "АAВBЕEЅSІIЈJКKМMНHОOРPСCТTУYХXҮYԀDԚQԜWӀIԌGҺh" // Cyrillic
        + "ՍUՕOՏS"; // Armenian

    private const string Letters = "αaιiκkνvοoρpυuχxϲcϳjγy" // Greek
        + "аaеeоoрpсcуyхxѕsіiјjһhԁdԛqԝwӏlүy" // Cyrillic
        + "օoսuզqոnհhցg" // Armenian
        + "ıiłlɑaɡgɩi" // Latin
        + "‘'’'‚'‛'′'ʼ'ʹ'`'´'“\"”\"„\"″\"‐-‑-‒-–-—-−-·.•."; // punctuation that programs substitute while people type

    private static readonly Dictionary<char, char> LookOfCapitals = Pairs(Capitals), LookOfLetters = Pairs(Letters);

    /// <summary>Groups of two or more names that are similar, in the order of the names.</summary>
    /// <param name="names">From <see cref="Names.Read"/>, without duplicates.</param>
    public static List<List<string>> Find(IEnumerable<string> names)
    {
        var groups = new List<List<string>>();
        var seen = new Dictionary<string, List<string>>();
        foreach (var name in names)
        {
            var (folded, look) = (Folded(name), Look(name));
            var group = seen.GetValueOrDefault(folded) ?? seen.GetValueOrDefault(look) ?? [];
            group.Add(name);
            (seen[folded], seen[look]) = (group, group);
            if (group.Count == 2)
            {
                groups.Add(group);
            }
        }

        return groups;
    }

    /// <summary>Whether two different names are similar.</summary>
    public static bool Are(string one, string other) => Folded(one) == Folded(other) || Look(one) == Look(other);

    /// <summary>How the names of a group differ, as the end of a sentence.</summary>
    public static string Difference(params IReadOnlyList<string> group) =>
        SameAll(group, name => name.Replace(" ", "", StringComparison.Ordinal)) ? "they differ only in blanks"
            : SameAll(group, name => name.ToLowerInvariant()) ? "they differ only in case"
            : SameAll(group, Number) ? "they are the same number"
            : SameAll(group, Folded) ? "they differ only in case, width or blanks"
            : "they look alike, but are written with different characters";

    /// <summary>A sentence about each group of similar categories, with what to do.</summary>
    /// <param name="model">Id of the model.</param>
    /// <param name="names">Names of all its categories.</param>
    /// <param name="concerns">Only groups that contain such a name.</param>
    /// <returns>null if there are none.</returns>
    public static List<string>? Notices(Guid model, IEnumerable<string> names, Func<string, bool> concerns)
    {
        var groups = Find(names.Order(StringComparer.Ordinal)).FindAll(group => group.Exists(name => concerns(name)));
        return groups.Count == 0 ? null : groups.ConvertAll(group => $"The categories {Listed(group)} are similar: {Difference(group)}. "
            + $"If they mean the same, merge them: POST /api/v1/models/{model}/categories/merge.");
    }

    /// <summary>The names in quotes.</summary>
    public static string Listed(IReadOnlyList<string> names) => names is [var only] ? $"\"{only}\""
        : string.Join(", ", names.SkipLast(1).Select(name => $"\"{name}\"")) + $" and \"{names[^1]}\"";

    private static bool SameAll(IReadOnlyList<string> group, Func<string, string> of) => group.Select(of).Distinct().Count() == 1;

    /// <summary>Ignores case (ß is ss), width, ligatures and blanks.</summary>
    private static string Folded(string name) => Number(UnicodeText.Folded(name).Replace(" ", "", StringComparison.Ordinal));

    /// <summary>Normalises numbers: spreadsheets write 007 as 7, and programs 7 as 7.0.</summary>
    private static string Number(string name) =>
        name.Length is > 1 and < 16 && name.All(c => char.IsAsciiDigit(c) || c == '.') && decimal.TryParse(name, NumberStyles.Float,
            CultureInfo.InvariantCulture, out var number) ? number.ToString("0.############", CultureInfo.InvariantCulture) : name;

    /// <summary>Also replaces letters that look like Latin ones.</summary>
    private static string Look(string name) => Ascii.IsValid(name) ? Folded(name).Replace('`', '\'')
        : Drawn(Folded(Drawn(name, LookOfCapitals)), LookOfLetters);

    private static string Drawn(string name, Dictionary<char, char> looks) =>
        string.Concat(name.Select(letter => looks.GetValueOrDefault(letter, letter)));

    private static Dictionary<char, char> Pairs(string pairs) => pairs.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
}
