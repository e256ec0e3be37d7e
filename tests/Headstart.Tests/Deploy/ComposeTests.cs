using System.Text.RegularExpressions;
using Headstart.Operations;
using YamlDotNet.RepresentationModel;

namespace Headstart.Tests.Deploy;

/// <summary>What can be known of the container files without a container engine.</summary>
public sealed partial class ComposeTests
{
    private static readonly string Compose = File.ReadAllText(Repository.PathOf("docker-compose.yml"));
    private static readonly string Dockerfile = File.ReadAllText(Repository.PathOf("deploy", "Dockerfile"));

    [Fact]
    public void The_compose_file_is_yaml_whose_parts_fit_together()
    {
        var document = Parse();
        var services = Children(document["services"]);
        Assert.Equal(["database", "headstart"], services.Keys.Order());

        var headstart = services["headstart"];
        Assert.Equal("service_healthy", (string?)headstart["depends_on"]["database"]["condition"]);
        Assert.True(Children(services["database"]).ContainsKey("healthcheck"));
        Assert.True(File.Exists(Repository.PathOf((string)headstart["build"]["dockerfile"]!)));
        Assert.Contains("Host=database;", (string?)headstart["environment"]["ConnectionStrings__Headstart"]);

        var named = services.Values.SelectMany(service => (YamlSequenceNode)service["volumes"])
            .Select(volume => ((string)volume!).Split(':')[0]).Where(source => Name().IsMatch(source));
        Assert.Equal(Children(document["volumes"]).Keys.Order(), named.Order());
    }

    [Fact]
    public void Every_variable_has_a_default_and_is_explained_in_the_example()
    {
        var defaults = Variable().Matches(Compose).Select(match => (match.Groups[1].Value, match.Groups[2].Value)).Distinct().Order();
        var example = File.ReadLines(Repository.PathOf(".env.example"))
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('=', 2)).Select(parts => (parts[0], parts[1])).Order();

        Assert.Equal(Compose.Count(c => c == '$'), Variable().Count(Compose));
        Assert.Equal(example, defaults);
    }

    [Fact]
    public void Every_setting_in_the_container_files_is_one_that_the_host_reads()
    {
        var names = Setting().Matches(Compose + Dockerfile + File.ReadAllText(Repository.PathOf(".env.example"))).Select(match => match.Groups[1].Value).ToHashSet();

        Assert.Contains("DataDirectory", names);
        Assert.All(names, name => Assert.NotNull(name.Split("__").Aggregate(
            (Type?)typeof(Settings), (type, part) => type?.GetProperty(part)?.PropertyType)));
    }

    [Fact]
    public void The_image_copies_only_files_that_exist_and_that_docker_may_see()
    {
        var visible = File.ReadLines(Repository.PathOf(".dockerignore")).Where(line => line.StartsWith('!')).Select(line => line[1..]).ToHashSet();
        var sources = Copy().Matches(Dockerfile).SelectMany(match => match.Groups[1].Value.Split(' ')[..^1]).ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.True(Path.Exists(Repository.PathOf(source)), source));
        Assert.All(sources, source => Assert.Contains(source.Split('/')[0], visible));
    }

    private static YamlMappingNode Parse()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Compose));
        return (YamlMappingNode)yaml.Documents.Single().RootNode;
    }

    private static Dictionary<string, YamlNode> Children(YamlNode node) => ((YamlMappingNode)node).ToDictionary(child => (string)child.Key!, child => child.Value);

    [GeneratedRegex(@"\$\{(\w+):-([^}]*)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\bHeadstart__(\w+)")]
    private static partial Regex Setting();

    [GeneratedRegex("^COPY (?!--)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex("^[a-z]+$")]
    private static partial Regex Name();
}
