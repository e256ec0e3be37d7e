using System.Net;
using Headstart.Tests.Predictions;
using NetVips;

namespace Headstart.Tests.Uploads;

/// <summary>Pictures of the formats that phones write, and pictures that nothing can be learned from, through the API.</summary>
[Collection<PredictionsHost>]
public sealed class PhonePicturesTests(TrainedHost host)
{
    private readonly HttpClient _client = host.Client;

    private static byte[] Heic => File.ReadAllBytes(Path.Combine(SharedFolder.Checkout(), "tests", "Pictures", "cat.heic"));

    [Fact]
    public async Task The_same_picture_as_heic_and_as_jpeg_has_the_same_prediction()
    {
        using var heic = Api.Form(null, [("IMG_0001.HEIC", Heic), ("10_cat.jpeg", Pets.Cat)]);

        var answer = await (await _client.PostAsync($"{host.Model}/predictions", heic, Api.Cancel)).JsonAsync();

        var labels = answer["predictions"]!.AsArray().Select(p => p!["labels"]![0]!).ToList();
        Assert.Equal(["cats", "cats"], labels.Select(label => (string?)label["label"]));
        Assert.InRange((double)labels[0]["probability"]! - (double)labels[1]["probability"]!, -0.05, 0.05);
    }

    [Fact]
    public async Task An_uploaded_heic_stays_a_heic_and_is_shown_as_a_jpeg()
    {
        var model = await _client.NewModelAsync("cats");
        var image = (await _client.AddAsync(model, "cats", Heic)).Single()!;
        Assert.Equal((245, 206), ((int)image["width"]!, (int)image["height"]!));

        using var content = await _client.GetAsync($"{model}/images/{image["id"]}/content", Api.Cancel);
        using var thumbnail = await _client.GetAsync($"{model}/images/{image["id"]}/content?size=64", Api.Cancel);

        Assert.Equal("image/heic", content.Content.Headers.ContentType!.MediaType);
        Assert.Equal(Heic, await content.Content.ReadAsByteArrayAsync(Api.Cancel));
        Assert.Equal("image/jpeg", thumbnail.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Bad_examples_are_found_in_the_list_and_in_the_report()
    {
        var model = await _client.PetsAsync(7);
        using var cat = Image.NewFromBuffer(Pets.Cat);
        using var blurred = cat.Gaussblur(8);
        var image = (await _client.AddAsync(model, "cats", blurred.JpegsaveBuffer())).Single()!;
        Assert.Equal(["blurred"], image["flaws"]!.AsArray().Select(flaw => (string?)flaw));

        foreach (var flaw in new[] { "any", "blurred" })
        {
            var listed = (await _client.GetJsonAsync($"{model}/images?flaw={flaw}"))["items"]!.AsArray();
            Assert.Equal([(string?)image["id"]], listed.Select(item => (string?)item!["id"]));
        }

        Assert.Empty((await _client.GetJsonAsync($"{model}/images?flaw=dark"))["items"]!.AsArray());
        var problem = await (await _client.GetAsync($"{model}/images?flaw=ugly", Api.Cancel))
            .ProblemAsync(HttpStatusCode.BadRequest, "invalid-flaw");
        Assert.Contains("oddShape", (string?)problem["detail"]);

        await _client.TrainAsync(model);
        var found = (await _client.GetJsonAsync($"{model}/versions/1/report"))["flaws"]!.AsArray().Single()!;
        Assert.Equal(("blurred", 1, (string?)image["id"]), ((string?)found["flaw"], (int)found["images"]!, (string?)found["imageIds"]![0]));
        Assert.Contains("Images worth a look", await _client.GetStringAsync($"{model}/versions/1/report.html", Api.Cancel));
    }
}
