using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Uploads;

[Collection<BodiesHost>]
public sealed class UploadTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task An_uploaded_image_is_described_and_kept_as_it_is()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var picture = Pictures.Jpeg(1, 64, 48);

        var image = (await _client.AddAsync(model, "cats", picture)).Single()!;

        Assert.Equal(
            ["id", "category", "categories", "boxes", "fileName", "sha256", "width", "height", "bytes", "flaws", "split", "splitGiven",
                "confirmed", "createdAt", "origin"],
            image.AsObject().Select(p => p.Key));
        Assert.Equal(("cats", "0.jpg", 64, 48, picture.Length), ((string?)image["category"], (string?)image["fileName"],
            (int)image["width"]!, (int)image["height"]!, (int)image["bytes"]!));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(picture)), (string?)image["sha256"]);
        Assert.Contains((string?)image["split"], new[] { "train", "test" });
        Assert.Equal(image.ToJsonString(), (await _client.GetJsonAsync($"{model}/images/{image["id"]}")).ToJsonString());
        Assert.Equal(picture, await _client.GetByteArrayAsync($"{model}/images/{image["id"]}/content", Api.Cancel));
    }

    [Fact]
    public async Task One_request_fills_several_categories_each_named_before_its_files()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var answer = await SendAsync(model, new Form().Field("category", "cats").File("1.jpg", Pictures.Jpeg(1))
            .File("2.jpg", Pictures.Jpeg(2))
            .Field("category", "dogs").File("3.jpg", Pictures.Jpeg(3)).Field("category", "cats").File("4.jpg", Pictures.Jpeg(4)));
        Assert.Equal(["1.jpg cats", "2.jpg cats", "3.jpg dogs", "4.jpg cats"], Accepted(answer));
    }

    [Fact]
    public async Task A_model_made_without_categories_takes_them_from_the_uploads()
    {
        var model = await _client.NewModelAsync();
        await _client.AddAsync(model, " zebras ", Pictures.Jpeg(1));
        await _client.AddAsync(model, "apes", Pictures.Jpeg(2));
        await _client.AddAsync(model, "zebras", Pictures.Jpeg(3));
        var categories = (await _client.GetJsonAsync(model))["categories"]!.AsArray();
        Assert.Equal(["zebras 2", "apes 1"], categories.Select(c => $"{c!["name"]} {c["imageCount"]}"));
    }

    [Fact]
    public async Task Categories_that_grow_from_many_requests_at_once_exist_once_each()
    {
        var model = await _client.NewModelAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _client.AddAsync(model, $"c{i % 2}", Pictures.Jpeg(i))));
        var categories = (await _client.GetJsonAsync(model))["categories"]!.AsArray();
        Assert.Equal(["c0 4", "c1 4"], categories.Select(c => $"{c!["name"]} {c["imageCount"]}").Order());
    }

    [Fact]
    public async Task Unusable_files_are_listed_with_the_reason_and_the_others_kept()
    {
        var model = await _client.NewModelAsync("cats");
        var jpeg = Pictures.Jpeg(1, 200, 200);
        var answer = await SendAsync(model, new Form()
            .Field("category", "wolves").File("unknown.jpg", Pictures.Jpeg(3))
            .Field("category", " ").File("blank.jpg", Pictures.Jpeg(4))
            .Field("category", new string('c', 5_000)).File("endless.jpg", Pictures.Jpeg(5))
            .Field("category", "cats")
            .File("empty.jpg", [])
            .File("text.jpg", "just text"u8.ToArray())
            .File("short.jpg", jpeg[..(jpeg.Length / 2)])
            .File("bomb.png", Pictures.PngClaiming(50_000, 50_000))
            .File("tiny.png", Pictures.Png(6, 1, 1))
            .File("large.jpg", new byte[(50 << 20) + 1])
            .Part("form-data; name=\"photo\"; filename=\"other.jpg\"", Pictures.Jpeg(7))
            .Part("form-data; filename=\"nameless.jpg\"", Pictures.Jpeg(8))
            .Part(null, Pictures.Jpeg(9))
            .File("good.jpg", jpeg));

        Assert.Equal(
            ["unknown.jpg unknown-category", "blank.jpg invalid-category", "endless.jpg invalid-category",
            "empty.jpg empty",
                "text.jpg unsupported-format", "short.jpg damaged", "bomb.png too-many-pixels", "tiny.png too-small", "large.jpg too-large",
                "other.jpg unknown-part", "nameless.jpg part-without-name", " part-without-name"],
            Rejected(answer));
        Assert.All(answer["rejected"]!.AsArray(), r => Assert.EndsWith(".", (string?)r!["detail"]));
        Assert.Equal(["good.jpg cats"], Accepted(answer));
        Assert.Equal(1, (int)(await _client.GetJsonAsync(model))["categories"]![0]!["imageCount"]!);
    }

    [Fact]
    public async Task When_nothing_is_accepted_the_answer_is_422_with_every_reason()
    {
        var model = await _client.NewModelAsync("cats");
        using var form = Api.Form(null, ("bare.jpg", Pictures.Jpeg(1)));
        var problem = await (await _client.PostAsync($"{model}/images", form, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");
        Assert.Equal(["bare.jpg missing-category"], Rejected(problem));
        Assert.Empty(problem["accepted"]!.AsArray());
    }

    [Fact]
    public async Task A_form_without_files_is_refused()
    {
        var model = await _client.NewModelAsync("cats");
        using var form = new Form().Field("category", "cats").Field("comment", "ignored").Content();
        await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-files");
    }

    [Fact]
    public async Task Fields_that_some_clients_send_with_an_empty_file_name_are_fields()
    {
        var model = await _client.NewModelAsync("cats");
        var answer = await SendAsync(model, new Form().Part("form-data; name=\"category\"; filename=\"\"", "cats"u8.ToArray())
            .Part("form-data; name=\"comment\"; filename=\"\"", "ignored"u8.ToArray()).Part("form-data; name=file", Pictures.Jpeg(1)));
        Assert.Equal([" cats"], Accepted(answer));
        Assert.Empty(Rejected(answer));
    }

    [Fact]
    public async Task Every_usual_kind_of_image_is_accepted()
    {
        var model = await _client.NewModelAsync("all");
        var form = new Form().Field("category", "all");
        foreach (var (name, save) in new (string, Func<NetVips.Image, byte[]>)[]
        {
            ("16-bit.png", i => i.Cast(NetVips.Enums.BandFormat.Ushort).Copy(interpretation: NetVips.Enums.Interpretation.Rgb16)
                .PngsaveBuffer(bitdepth: 16)),
            ("cmyk.jpg", i => i.Colourspace(NetVips.Enums.Interpretation.Cmyk).JpegsaveBuffer()),
            ("alpha.png", i => i.Bandjoin(128).PngsaveBuffer()),
            ("grey.jpg", i => i.ExtractBand(0).Copy(interpretation: NetVips.Enums.Interpretation.Bw).JpegsaveBuffer()),
            ("a.webp", i => i.WebpsaveBuffer()),
            ("a.gif", i => i.GifsaveBuffer()),
            ("a.tif", i => i.TiffsaveBuffer()),
        })
        {
            form.File(name, Pictures.Write(name.Length, 40, 30, save));
        }

        var answer = await SendAsync(model, form);

        Assert.Empty(Rejected(answer));
        Assert.Equal(7, answer["accepted"]!.AsArray().Count);
        foreach (var image in answer["accepted"]!.AsArray())
        {
            var thumbnail = await _client.GetByteArrayAsync($"{model}/images/{image!["id"]}/content?size=20", Api.Cancel);
            Assert.Equal([0xFF, 0xD8, 0xFF], thumbnail[..3]);
        }
    }

    private async Task<JsonNode> SendAsync(string model, Form form)
    {
        using var content = form.Content();
        return await (await _client.PostAsync($"{model}/images", content, Api.Cancel)).JsonAsync();
    }

    private static IEnumerable<string> Accepted(JsonNode answer) =>
        answer["accepted"]!.AsArray().Select(i => $"{i!["fileName"]} {i["category"]}");

    private static IEnumerable<string> Rejected(JsonNode answer) =>
        answer["rejected"]!.AsArray().Select(i => $"{i!["fileName"]} {i["reason"]}");
}
