using System.Text.RegularExpressions;
using Headstart.Backbones;

namespace Headstart.Tests.Source;

/// <summary>
/// Arrows inside the host: a feature may use another one's entities and services, never its endpoints, its requests and responses or
/// its jobs; the pages are clients of the API. Read from the source, because that is also where a reader would look.
/// </summary>
public sealed partial class DependencyRuleTests
{
    private static readonly string[] Features =
        ["Access", "Backbones", "BatchPredictions", "Fetching", "ImageSearches", "Models", "NanoNets", "OpenInference", "Predictions",
            "Reports", "Training", "Uploads", "Versions"];

    /// <summary>The folders that every file sees, by global usings of the project.</summary>
    private static readonly string[] Foundation = [.. GlobalUsing()
        .Matches(File.ReadAllText(Repository.PathOf("src", "Headstart", "Headstart.csproj"))).Select(match => match.Groups[1].Value)];

    [Fact]
    public void Folders_depend_on_each_other_in_one_direction()
    {
        var folders = Directory.GetFiles(Repository.PathOf("src", "Headstart"), "*.*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".cs" or ".razor")
            .ToLookup(FolderOf, File.ReadAllText);
        var uses = folders.ToDictionary(folder => folder.Key, folder => folder
            .SelectMany(code => Using().Matches(code).Select(match => match.Groups[1].Value).Concat(Unsaid(folder.Key, code, folders)))
            .Select(Whole).Where(other => other != folder.Key).ToHashSet());
        uses.Remove(""); // Program.cs and Setup.cs bring all together
        Assert.Contains("Data", uses["Jobs"]);
        Assert.Contains("Uploads.Archives", uses["Uploads.Bodies"]);
        Assert.Contains("Http", uses["Errors"]);
        Assert.All(Foundation, folder => Assert.Empty(uses[folder].Except(Foundation)));

        // Who uses nothing that is left can be taken away; what stays goes round in circles.
        while (uses.FirstOrDefault(folder => !folder.Value.Any(uses.ContainsKey)).Key is { } free)
        {
            uses.Remove(free);
        }

        while (uses.FirstOrDefault(folder => !uses.Values.Any(others => others.Contains(folder.Key))).Key is { } unused)
        {
            uses.Remove(unused);
        }

        Assert.Equal([], uses.Select(folder => $"{folder.Key} -> {string.Join(", ", folder.Value.Where(uses.ContainsKey).Order())}"));
    }

    /// <summary>The namespace of a file below Headstart.</summary>
    private static string FolderOf(string file) =>
        Whole(Path.GetRelativePath(Repository.PathOf("src", "Headstart"), Path.GetDirectoryName(file)!).Trim('.')
            .Replace(Path.DirectorySeparatorChar, '.'));

    /// <summary>Pages and their parts are one: <c>_Imports.razor</c> lets them see each other. So are the entities and their
    /// migrations.</summary>
    private static string Whole(string folder) => folder.Split('.')[0] is var top && top is "Web" or "Data" ? top : folder;

    /// <summary>What a file uses without a using of its own: the folder above its own, and within the foundation the rest of
    /// it.</summary>
    private static IEnumerable<string> Unsaid(string folder, string code, ILookup<string, string> folders) =>
        (Foundation.Contains(folder) ? Foundation : folder.LastIndexOf('.') is >= 0 and var end ? [folder[..end]] : [])
            .Where(seen => folders[seen].SelectMany(other => TypeName().Matches(other))
                .Any(type => Regex.IsMatch(Comment().Replace(code, ""), $@"\b{type.Groups[1].Value}\b")));

    [Fact]
    public void No_feature_uses_another_features_endpoints_contracts_or_jobs()
    {
        var sources = Features.ToDictionary(feature => feature, Read);
        var broken =
            from owner in Features
            from name in sources[owner].SelectMany(file => Closed(file.Name, file.Code)).Distinct()
            from user in Features.Where(feature => feature != owner)
            from file in sources[user]
            where Regex.IsMatch(file.Code, $@"\b{name}\b")
            select $"{user}/{file.Name} uses {name} of {owner}";

        Assert.Empty(broken);
    }

    [Fact]
    public void The_rule_knows_what_is_closed()
    {
        var closed = Features.SelectMany(Read).SelectMany(file => Closed(file.Name, file.Code)).ToHashSet();

        Assert.Superset(new HashSet<string> { "ModelsApi", "NewModelRequest", "ImageResponse", "ImageChange", "TrainingJob",
            "MapVersions" }, closed);
        Assert.DoesNotContain("ModelsOf", closed);
    }

    [Fact]
    public void Pages_know_the_api_and_nothing_behind_it()
    {
        var files = Directory.GetFiles(Repository.PathOf("src", "Headstart", "Web"), "*.*", SearchOption.AllDirectories);
        Assert.True(files.Length > 20);
        Assert.DoesNotContain(files, file => Behind().IsMatch(Comment().Replace(File.ReadAllText(file), "")));
    }

    private static List<(string Name, string Code)> Read(string feature) =>
        [.. Directory.GetFiles(Repository.PathOf("src", "Headstart", feature), "*.cs", SearchOption.AllDirectories)
            .Select(path => (Path.GetFileName(path), Comment().Replace(File.ReadAllText(path), "")))];

    /// <summary>Everything that a file with endpoints or contracts declares, and what is named like a contract or a job
    /// elsewhere.</summary>
    private static IEnumerable<string> Closed(string file, string code)
    {
        var whole = file.EndsWith("Api.cs", StringComparison.Ordinal) || file.EndsWith("Contracts.cs", StringComparison.Ordinal);
        var types = TypeName().Matches(code).Select(match => match.Groups[1].Value);
        return types.Where(name => whole || ContractOrJob().IsMatch(name))
            .Concat(whole ? ExtensionMethod().Matches(code).Select(match => match.Groups[1].Value) : []);
    }

    [GeneratedRegex(@"\b(HeadstartDb|IBlobStore|DbContext|LoadedBackbones|Predictor|ServableVersions|RunStart|ImageUpload)\b")]
    private static partial Regex Behind();

    [GeneratedRegex(@"^\uFEFF?@?using Headstart\.((?!Learning)[\w.]+);?", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex("""<Using Include="Headstart\.(\w+)" />""")]
    private static partial Regex GlobalUsing();

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(?:class|record(?: struct)?|enum|interface|struct) (\w+)")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\bstatic \S+ (\w+)(?:<\w+>)?\(this ")]
    private static partial Regex ExtensionMethod();

    [GeneratedRegex("(?:Request|Response|Change|Job|Api)$")]
    private static partial Regex ContractOrJob();
}
