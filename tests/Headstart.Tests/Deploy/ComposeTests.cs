using System.Text.RegularExpressions;
using Headstart.Configuration;
using Headstart.Data;
using YamlDotNet.RepresentationModel;

namespace Headstart.Tests.Deploy;

/// <summary>What can be known of the container files without a container engine.</summary>
public sealed partial class ComposeTests
{
    private static readonly string Compose = File.ReadAllText(Repository.PathOf("docker-compose.yml"));
    private static readonly string Dockerfile = File.ReadAllText(Repository.PathOf("deploy", "Dockerfile"));

    /// <summary>The files for several nodes.</summary>
    private static readonly List<string> Nodes =
        [Repository.PathOf("deploy", "compose.yaml"), .. Directory.GetFiles(Repository.PathOf("deploy", "kubernetes"), "*.yaml")
            .Order(StringComparer.Ordinal)];

    /// <summary>Of those that both know, the ones we use.</summary>
    private static readonly HashSet<string> ServiceParts =
        ["<<", "build", "command", "depends_on", "deploy", "entrypoint", "env_file", "environment", "healthcheck", "image", "platform",
            "ports", "profiles", "restart", "stop_grace_period", "volumes"];

    [Fact]
    public void The_compose_file_is_yaml_whose_parts_fit_together()
    {
        var document = Parse();
        var services = Children(document["services"]);
        Assert.Equal(["backup", "database", "headstart"], services.Keys.Order());

        var headstart = services["headstart"];
        Assert.Equal("service_healthy", (string?)headstart["depends_on"]["database"]["condition"]);
        Assert.True(Children(services["database"]).ContainsKey("healthcheck"));
        Assert.True(File.Exists(Repository.PathOf((string)headstart["build"]["dockerfile"]!)));
        Assert.Contains("Host=database;", (string?)headstart["environment"]["ConnectionStrings__Headstart"]);

        // A backup is one of the same installation.
        Assert.Equal(headstart["environment"], services["backup"]["environment"]);
        Assert.Contains(services["backup"]["volumes"][0], (YamlSequenceNode)headstart["volumes"]);
        Assert.Contains($" AS {services["backup"]["build"]["target"]}\n", Dockerfile, StringComparison.Ordinal);

        var named = services.Values.SelectMany(service => (YamlSequenceNode)service["volumes"])
            .Select(volume => ((string)volume!).Split(':')[0]).Where(source => Name().IsMatch(source)).Distinct();
        Assert.Equal(Children(document["volumes"]).Keys.Order(), named.Order());
    }

    /// <summary>Debian's docker-compose is 1.29, which refuses a file with one name that it does not know; the plugin knows all of these
    /// too.</summary>
    [Theory]
    [InlineData("docker-compose.yml")]
    [InlineData("deploy/compose.yaml")]
    public void Old_and_new_compose_understand_the_file(string path)
    {
        var document = Load(Repository.PathOf(path.Split('/')));
        Assert.All(Children(document).Keys, name =>
            Assert.True(name is "services" or "volumes" || name.StartsWith("x-", StringComparison.Ordinal), name));
        Assert.All(Children(document["services"]).Values, service =>
        {
            var parts = Children(service);
            Assert.Subset(ServiceParts, parts.Keys.ToHashSet());
            Assert.IsType<YamlScalarNode>(parts.GetValueOrDefault("env_file", new YamlScalarNode())); // not a path with "required"
            Assert.All(Below(parts, "build"), part => Assert.Contains(part.Key, (string[])["context", "dockerfile", "target"]));
            Assert.All(Below(parts, "deploy"), part => Assert.Equal("replicas", part.Key));
            Assert.All(Below(parts, "depends_on"), need => Assert.Equal(["condition"], Children(need.Value).Keys));
        });
    }

    [Fact]
    public void Every_variable_has_a_default_and_is_explained_in_the_example()
    {
        var defaults = Variable().Matches(Compose).Select(match => (match.Groups[1].Value, match.Groups[2].Value)).Distinct().Order();
        var example = File.ReadLines(Repository.PathOf(".env.example"))
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('=', 2)).Select(parts => (parts[0], parts[1]))
                .Order();

        Assert.Equal(Compose.Count(c => c == '$'), Variable().Count(Compose));
        // what a copy is called
        Assert.Equal(example, defaults.Select(its => its is ("HEADSTART_ENV_FILE", ".env.example") ? (its.Item1, ".env") : its));
    }

    [Fact]
    public void Every_setting_in_the_container_files_is_one_that_the_host_reads()
    {
        var files = string.Concat(Nodes.Append(Repository.PathOf(".env.example")).Select(File.ReadAllText));
        var names = Setting().Matches(Compose + Dockerfile + files).Select(match => match.Groups[1].Value).ToHashSet();

        Assert.Contains("DataDirectory", names);
        Assert.All(names, name => Assert.NotNull(name.Split("__").Aggregate(
            (Type?)typeof(Settings), (type, part) => type?.GetProperty(part)?.PropertyType)));
    }

    [Fact]
    public void The_files_for_several_nodes_are_yaml_that_asks_for_what_there_is()
    {
        Assert.Equal(5, Nodes.Count);
        Assert.All(Nodes, file =>
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(File.ReadAllText(file)));
            Assert.NotEmpty(yaml.Documents);
            Assert.All(ProbePath().Matches(File.ReadAllText(file)), path =>
                Assert.Contains(path.Groups[1].Value, (string[])["/health/live", "/health/ready", "/metrics"]));
        });
        Assert.Equal(2, Nodes.Count(file => File.ReadAllText(file).Contains("[\"migrate\"]", StringComparison.Ordinal)));
        Assert.True(MigrateCommand.Asked(["migrate"]));
        var services = Children(((YamlMappingNode)Load(Repository.PathOf("deploy", "compose.yaml")))["services"]);
        Assert.Superset(new HashSet<string> { "web-1", "web-2", "worker", "nginx", "database", "blobs" }, services.Keys.ToHashSet());
        Assert.All(NodeName().Matches(File.ReadAllText(Repository.PathOf("deploy", "nginx.conf"))), name =>
            Assert.Contains(name.Groups[1].Value, services.Keys));
    }

    [Fact]
    public void The_image_copies_only_files_that_exist_and_that_docker_may_see()
    {
        var visible = File.ReadLines(Repository.PathOf(".dockerignore")).Where(line => line.StartsWith('!')).Select(line => line[1..])
            .ToHashSet();
        var sources = Copy().Matches(Dockerfile).SelectMany(match => match.Groups[1].Value.Split(' ')[..^1]).ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.True(Path.Exists(Repository.PathOf(source)), source));
        Assert.All(sources, source => Assert.Contains(source.Split('/')[0], visible));
    }

    private static YamlMappingNode Parse() => (YamlMappingNode)Load(Repository.PathOf("docker-compose.yml"));

    private static YamlNode Load(string file)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(file)));
        return yaml.Documents.Single().RootNode;
    }

    private static Dictionary<string, YamlNode> Children(YamlNode node) =>
        ((YamlMappingNode)node).ToDictionary(child => (string)child.Key!, child => child.Value);

    private static Dictionary<string, YamlNode> Below(Dictionary<string, YamlNode> parts, string name) =>
        parts.GetValueOrDefault(name) is YamlMappingNode part ? Children(part) : [];

    [GeneratedRegex("path: (/[a-z/]+), port")]
    private static partial Regex ProbePath();

    [GeneratedRegex(@"server (\S+):8080")]
    private static partial Regex NodeName();

    [GeneratedRegex(@"\$\{(\w+):-([^}]*)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\bHeadstart__(\w+)")]
    private static partial Regex Setting();

    [GeneratedRegex("^COPY (?!--)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex("^[a-z]+$")]
    private static partial Regex Name();
}
