using System.Security.Cryptography;
using Headstart.Learning.Backbones;

namespace Headstart.Learning.Tests.Backbones;

public sealed class BackboneFoldersTests
{
    [Fact]
    public void Known_files_are_recognised_without_a_manifest()
    {
        var (found, problems) = BackboneFolders.Find([SharedData.Folder("backbones")]);

        Assert.Empty(problems);
        Assert.Equal(["mobilenet-edgetpu-1.0", "mobilenetv2-1.0", "squeezenet1.1"], found.Select(file => file.Manifest.Id).Order());
        Assert.All(found, file => Assert.Equal(new FileInfo(file.Path).Length, file.Manifest.Bytes));
        Assert.Equal(0.5f, found.Single(file => file.Manifest.Id == "mobilenet-edgetpu-1.0").Manifest.Preprocessing.Mean[0]);
    }

    [Fact]
    public void A_missing_directory_is_a_problem_and_the_others_still_count()
    {
        using var folder = new TestFolder();
        WriteBackbone(folder, "mine", Manifest("mine"));

        var (found, problems) = BackboneFolders.Find([folder.File("missing"), folder.Path]);

        Assert.Equal("mine", Assert.Single(found).Manifest.Id);
        Assert.Contains("does not exist", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_beside_the_file_describes_it()
    {
        using var folder = new TestFolder();
        WriteBackbone(folder, "mine", Manifest("mine"));

        var manifest = Assert.Single(BackboneFolders.Find([folder.Path]).Found).Manifest;

        Assert.Equal((7, 32, 12.5, "MIT"), (manifest.Features, manifest.Preprocessing.Size, manifest.PublishedAccuracy, manifest.Licence));
        Assert.Equal([0.5f, 0.5f, 0.5f], manifest.Preprocessing.Mean);
    }

    [Theory]
    [InlineData("\"id\": \"mine\"", "\"id\": \"../mine\"", "'id'")]
    [InlineData("\"features\": 7", "\"features\": 0", "'features'")]
    [InlineData("\"inputSize\": 32", "\"inputSize\": -1", "'inputSize'")]
    [InlineData("[0.5, 0.5, 0.5]", "[0.5, 0.5]", "'mean'")]
    [InlineData("[0.25, 0.25, 0.25]", "[0.25, 0.25, 0]", "'std'")]
    [InlineData("\"licence\": \"MIT\"", "\"license\": \"MIT\"", "'licence'")]
    [InlineData("\"id\": \"mine\"", "\"id\": mine", "not valid JSON")]
    [InlineData("\"sha256\": \"", "\"sha256\": \"00", "'sha256'")]
    public void A_bad_manifest_is_a_problem_that_names_the_field(string good, string bad, string named)
    {
        using var folder = new TestFolder();
        WriteBackbone(folder, "mine", Manifest("mine").Replace(good, bad, StringComparison.Ordinal));

        var (found, problems) = BackboneFolders.Find([folder.Path]);

        Assert.Empty(found);
        Assert.Contains(named, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_differs_from_its_manifest_is_not_used()
    {
        using var folder = new TestFolder();
        WriteBackbone(folder, "mine", Manifest("mine"));
        File.AppendAllText(folder.File("mine.onnx"), "!");

        var (found, problems) = BackboneFolders.Find([folder.Path]);

        Assert.Empty(found);
        Assert.Contains("its manifest says", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_nobody_knows_is_a_problem()
    {
        using var folder = new TestFolder();
        File.WriteAllText(folder.File("stranger.onnx"), "?");

        var (found, problems) = BackboneFolders.Find([folder.Path]);

        Assert.Empty(found);
        Assert.Contains("stranger.json", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_of_two_backbones_with_one_id_counts()
    {
        using var folder = new TestFolder();
        WriteBackbone(folder, "a", Manifest("a"));
        WriteBackbone(folder, "b", Manifest("b").Replace("\"id\": \"b\"", "\"id\": \"a\"", StringComparison.Ordinal));

        var (found, problems) = BackboneFolders.Find([folder.Path]);

        Assert.Equal(folder.File("a.onnx"), Assert.Single(found).Path);
        Assert.Contains("another backbone with the id 'a'", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_file_twice_is_no_problem()
    {
        using var folder = new TestFolder();
        WriteBackbone(folder, "a", Manifest("a"));

        var (found, problems) = BackboneFolders.Find([folder.Path, folder.Path]);

        Assert.Single(found);
        Assert.Empty(problems);
    }

    private static void WriteBackbone(TestFolder folder, string name, string manifest)
    {
        File.WriteAllText(folder.File($"{name}.onnx"), name);
        File.WriteAllText(folder.File($"{name}.json"), manifest);
    }

    private static string Manifest(string id) => $$"""
        {
          "id": "{{id}}", "family": "Test", "features": 7, "inputSize": 32,
          "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "publishedAccuracy": 12.5,
          "source": "made for a test", "licence": "MIT",
          "sha256": "{{Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(id)))}}"
        }
        """;
}
