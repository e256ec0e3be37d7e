using Headstart.Backbones;
using Headstart.Configuration;
using Headstart.Errors;
using Headstart.Learning.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Backbones;

public sealed class QuantiseTests(TestPostgres postgres)
{
    [Fact]
    public async Task Runs_try_the_8_bit_form_of_a_backbone_instead_of_that_and_it_can_still_be_named()
    {
        Needs.Time();
        var builtIn = BackboneFolders.Find([BackboneFolders.BuiltIn]).Found[0];
        using var folder = new TemporaryFolder();
        var made = EightBitBackbone.Make(builtIn, Pets.Cats.Concat(Pets.Dogs).Select(File.ReadAllBytes), folder.Path);
        File.WriteAllBytes(Path.Combine(folder.Path, "new"), made.Network);
        BackboneFolders.Place(Path.Combine(folder.Path, "new"), made.Manifest, folder.Path);
        await using var host = new HostWithFolder(postgres, folder.Path);
        await host.InitializeAsync();
        var model = await host.Client.PetsAsync(perCategory: 8);

        var chosen = await host.Client.TrainAsync(model, Api.Automatic);
        var named = await host.Client.TrainAsync(model, new { backbone = "headstart-small" });

        Assert.All(chosen["backbones"]!.AsArray(), trial => Assert.StartsWith("headstart-small-int8", (string?)trial!["id"]));
        Assert.NotEmpty(chosen["backbones"]!.AsArray());
        var version = await host.Client.GetJsonAsync($"{model}/versions/{named["version"]}");
        Assert.Equal("headstart-small", (string?)version["backbone"]);
    }

    [Theory]
    [InlineData("Name a backbone and a folder of photographs: backbones quantise ID FOLDER.", "headstart-small")]
    [InlineData("This host has no backbone 'nothing'. It has: headstart-small.", "nothing", ".")]
    [InlineData("Only 0 photographs can be read; give at least 20, better 250.", "headstart-small", "")]
    public void The_command_says_what_is_missing(string sentence, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        string[] given = [.. arguments.Select((argument, i) => i == 1 ? Path.Combine(folder.Path, argument) : argument)];

        var refusal = Assert.Throws<StartupException>(() => QuantiseCommand.Run(["backbones", "quantise", .. given],
            new Settings { DataDirectory = folder.Path, Backbones = { Bundled = false } }));

        Assert.Equal(sentence, refusal.Message);
    }

    private sealed class HostWithFolder(TestPostgres postgres, string folder) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Backbones:Directories", folder)];
    }
}
