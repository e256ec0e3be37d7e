using System.Net;
using System.Text.Json.Nodes;
using Headstart.Backbones;
using Headstart.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Backbones;

public sealed class EightBitFormsTests(EightBitFormsTests.Worker host) : IClassFixture<EightBitFormsTests.Worker>
{
    [Fact]
    public async Task A_host_makes_an_8_bit_form_once_from_what_users_labelled_and_says_what_became_of_it()
    {
        Needs.Time();
        Assert.Equal(("waiting", "The host has just started."), await StateAsync());
        var model = await host.Client.PetsAsync(perCategory: 8);
        await MakeMissingAsync();
        Assert.Equal(("waiting", "200 photographs with a category are needed to measure its accuracy; this host has 16."),
            await StateAsync());

        await UploadAsync(model, "cats", Pets.Cats);
        await UploadAsync(model, "dogs", Pets.Dogs);
        await MakeMissingAsync();

        var made = (await BackboneAsync("headstart-small"))!["eightBit"]!; // which of both is the processor's to say
        var form = await BackboneAsync("headstart-small-int8");
        Assert.True((double?)made["ratio"] > 0, made.ToJsonString());
        Assert.Equal(form is null ? "refused" : "used", (string?)made["state"]);
        Assert.Equal(form is not null, made["why"] is null);
        Assert.Empty(Directory.GetFiles(Path.Combine(host.DataFolder, "backbones", "registered"), "*.upload"));
        if (form is not null)
        {
            Assert.Null(form["eightBit"]);
            Assert.True((bool?)form["registered"]);
            Assert.Equal(HttpStatusCode.NoContent,
                (await host.Client.DeleteAsync("/api/v1/backbones/headstart-small-int8", Api.Cancel)).StatusCode);
            Assert.Equal(("refused", "It was deleted."), await StateAsync());
        }

        var (state, why) = await StateAsync();
        await host.RestartAsync();
        await MakeMissingAsync();
        Assert.Equal((state, why), await StateAsync());
        Assert.Null(await BackboneAsync("headstart-small-int8"));
    }

    private Task MakeMissingAsync() => host.Services.GetRequiredService<EightBitForms>().MakeMissingAsync(Api.Cancel);

    private async Task<(string? State, string? Why)> StateAsync()
    {
        var form = (await BackboneAsync("headstart-small"))!["eightBit"]!;
        return ((string?)form["state"], (string?)form["why"]);
    }

    private async Task<JsonNode?> BackboneAsync(string id) =>
        (await host.Client.BackbonesAsync()).FirstOrDefault(backbone => (string?)backbone["id"] == id);

    /// <summary>Each picture four times, as four files.</summary>
    private async Task UploadAsync(string model, string category, IEnumerable<string> files)
    {
        using var form = Api.Form(category, files.SelectMany(file => Enumerable.Range(0, 4).Select(i =>
            (Path.GetFileName(file), (byte[])[.. File.ReadAllBytes(file), (byte)i]))));
        Assert.Empty((await (await host.Client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["rejected"]!.AsArray());
    }

    public sealed class Worker(TestPostgres postgres) : TestHost(postgres)
    {
        protected override bool IsNeeded => Needs.HasTime;

        protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Backbones:EightBit", "true")];
    }
}
