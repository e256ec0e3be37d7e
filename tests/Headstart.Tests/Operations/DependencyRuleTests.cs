using System.Text.RegularExpressions;
using Headstart.Backbones;

namespace Headstart.Tests.Operations;

/// <summary>
/// Arrows inside the host: a feature may use another one's entities and services, never its endpoints, its requests and responses or
/// its jobs; the pages are clients of the API. Read from the source, because that is also where a reader would look.
/// </summary>
public sealed partial class DependencyRuleTests
{
    private static readonly string[] Features =
        ["Access", "Backbones", "BatchPredictions", "Fetching", "ImageSearches", "Models", "NanoNets", "OpenInference", "Predictions",
            "Reports", "Training", "Uploads", "Versions"];

    [Fact]
    public void Folders_depend_on_each_other_in_one_direction()
    {
        var uses = Directory.GetDirectories(Repository.PathOf("src", "Headstart")).Select(folder => Path.GetFileName(folder))
            .ToDictionary(folder => folder, folder =>
            Directory.GetFiles(Repository.PathOf("src", "Headstart", folder), "*.*", SearchOption.AllDirectories)
                .Where(file => !file.Contains("Migrations", StringComparison.Ordinal))
                .SelectMany(file => Using().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value))
                    .Where(other => other != folder).ToHashSet());
        Assert.Contains("Data", uses["Jobs"]);

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
        [.. Directory.GetFiles(Repository.PathOf("src", "Headstart", feature), "*.cs")
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

    [GeneratedRegex(@"\b(HeadstartDb|IBlobStore|DbContext|LoadedBackbones|Predictor|HeadCache|RunStart|ImageUpload)\b")]
    private static partial Regex Behind();

    [GeneratedRegex(@"^\uFEFF?@?using Headstart\.(\w+);?", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(?:class|record(?: struct)?|enum|interface|struct) (\w+)")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\bstatic \S+ (\w+)(?:<\w+>)?\(this ")]
    private static partial Regex ExtensionMethod();

    [GeneratedRegex("(?:Request|Response|Change|Job|Api)$")]
    private static partial Regex ContractOrJob();
}
