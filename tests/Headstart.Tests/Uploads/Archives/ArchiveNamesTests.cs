using System.Net;
using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads.Archives;

/// <summary>Archivers write names in UTF-8 and say so, add a copy in UTF-8, or write them in the code page of their system.</summary>
[Collection<ArchivesHost>]
public sealed class ArchiveNamesTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData(65001, "Äpfel Möhren 猫")] // macOS and Linux, without the flag
    [InlineData(437, "Äpfel Möhren")] // Windows Explorer
    [InlineData(437, "café crème forêt")]
    [InlineData(850, "Äpfel corações pão smørrebrød")]
    [InlineData(850, "Straße Fuß")]
    [InlineData(1252, "Äpfel Käse Möhren")]
    [InlineData(852, "žluť kůň křeček")]
    [InlineData(866, "Кошки Собаки")]
    [InlineData(1251, "Кошки Собаки")]
    [InlineData(932, "犬 猫 りんご")]
    [InlineData(932, "いぬ ネコ")]
    [InlineData(936, "猫 狗")]
    [InlineData(936, "苹果 香蕉 鹦鹉")]
    [InlineData(949, "고양이 강아지")]
    public async Task Names_are_read_in_the_encoding_that_makes_words_of_them(int page, string names)
    {
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(page) ?? Encoding.UTF8;
        var zip = new RawZip();
        foreach (var (i, name) in names.Split(' ').Index())
        {
            zip.Add(encoding, $"{name}/Bild {i}.png", Pictures.Tiny(i)).Add(encoding, $"{name}/{name}{i}.png", Pictures.Tiny(100 + i));
        }

        var answer = await SendAsync(zip.ToArray());

        Assert.Equal(names.Split(' ').SelectMany((name, i) => (string[])[$"{name}/Bild {i}.png {name}", $"{name}/{name}{i}.png {name}"]),
            UploadCalls.Accepted(answer));
        Assert.Equal(page == 65001 ? 0 : 1, answer["notices"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_copy_in_utf_8_counts_if_it_belongs_to_the_name()
    {
        var (oem, right) = (CodePagesEncodingProvider.Instance.GetEncoding(437)!, "Äpfel/a.png");
        var name = oem.GetBytes(right);
        var answer = await SendAsync(new RawZip()
            .Add("?pfel/a.png"u8.ToArray(), Pictures.Tiny(1)).Add(name, Pictures.Tiny(2), extra: RawZip.UnicodePath(name, right))
            .Add(name, Pictures.Tiny(3), extra: [0x99, 0x99, 1, 0, 7, .. RawZip.UnicodePath("renamed"u8.ToArray(), "Birnen/a.png")])
            .Add(Encoding.UTF8.GetBytes("Möhren/a.png"), Pictures.Tiny(4), RawZip.Utf8Flag).ToArray());

        Assert.Equal(["?pfel", "Äpfel", "Äpfel", "Möhren"], answer["accepted"]!.AsArray().Select(i => (string?)i!["category"]));
    }

    [Theory]
    [InlineData("D0CF/a.png 9C94/b.png")] // no encoding makes words of these
    [InlineData("D1EE/a.png")] // 杨, or Со
    public async Task Names_of_folders_that_are_not_certain_refuse_the_archive_with_the_cure(string names)
    {
        var model = await _client.NewModelAsync();
        var zip = new RawZip();
        foreach (var name in names.Split(' '))
        {
            zip.Add([.. Convert.FromHexString(name[..4]), .. Encoding.ASCII.GetBytes(name[4..])], Pictures.Tiny(name[0]));
        }

        var problem = await (await _client.SendImagesAsync(model, Batches.Archive(zip.ToArray())))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unknown-encoding");

        Assert.Contains("UTF-8", (string?)problem["detail"]);
        Assert.Empty((await _client.GetJsonAsync(model))["categories"]!.AsArray());
    }

    [Fact]
    public async Task A_file_may_be_called_anything_if_its_folder_is_certain()
    {
        var answer = await SendAsync(new RawZip().Add([.. "cats/"u8, 0xC0, 0xFF, .. ".png"u8], Pictures.Tiny(1)).ToArray());
        Assert.Equal("cats", (string?)answer["accepted"]!.AsArray().Single()!["category"]);
    }

    private async Task<System.Text.Json.Nodes.JsonNode> SendAsync(byte[] zip) =>
        await (await _client.SendImagesAsync(await _client.NewModelAsync(), Batches.Archive(zip))).JsonAsync();
}
