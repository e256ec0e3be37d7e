using System.Text;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Uploads;

/// <summary>Names of files are text for people: anything may be in them, and nothing comes of it.</summary>
[Collection<ArchivesHost>]
public sealed class FileNamesTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData("filename=\"../../../etc/passwd\"", "../../../etc/passwd")]
    [InlineData("filename=\"/etc/cron.d/evil\"", "/etc/cron.d/evil")]
    [InlineData("filename=\"a;b.jpg\"", "a;b.jpg")]
    [InlineData("filename=plain.jpg", "plain.jpg")]
    [InlineData("filename=\"Katze Ärger 東京.jpg\"", "Katze Ärger 東京.jpg")]
    [InlineData("filename=\"🐈‍⬛.jpg\"", "🐈‍⬛.jpg")]
    [InlineData("filename=\"\u202egpj.exe\"", "\u202egpj.exe")]
    [InlineData("filename=\"<script>alert(1)</script>.jpg\"", "<script>alert(1)</script>.jpg")]
    [InlineData("filename=\"'; DROP TABLE images; --\"", "'; DROP TABLE images; --")]
    [InlineData("filename=\"a\0b\u0007c\u007f.jpg\"", "abc.jpg")]
    [InlineData("filename=\"ignored.jpg\"; filename*=UTF-8''%e2%82%ac%20rates.jpg", "€ rates.jpg")]
    [InlineData("filename*=UTF-8''a%00%0d%0ab.jpg", "ab.jpg")]
    [InlineData("filename=\"%2e%2e%2fescaped.jpg\"", "%2e%2e%2fescaped.jpg")]
    [InlineData("filename=\"CON\"", "CON")]
    public async Task A_hostile_name_is_only_text(string disposition, string expected)
    {
        var model = await _client.NewModelAsync("cats");
        using var form = new Form().Field("category", "cats").Part("form-data; name=\"file\"; " + disposition, Pictures.Jpeg(1)).Content();

        var image = (await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["accepted"]!.AsArray().Single()!;

        Assert.Equal(expected, (string?)image["fileName"]);
        Assert.Equal(Pictures.Jpeg(1), await _client.GetByteArrayAsync($"{model}/images/{image["id"]}/content", Api.Cancel));
    }

    [Theory]
    [InlineData("n", 10_000)]
    [InlineData("🐈", 3_000)]
    [InlineData("x🐈", 3_000)]
    public async Task An_endless_name_is_cut_between_characters(string part, int times)
    {
        var model = await _client.NewModelAsync("cats");
        var name = string.Concat(Enumerable.Repeat(part, times));
        using var form = new Form().Field("category", "cats").File(name, Pictures.Jpeg(1)).Content();
        var image = (await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["accepted"]!.AsArray().Single()!;
        var kept = (string)image["fileName"]!;
        Assert.InRange(kept.Length, 254, 255);
        Assert.StartsWith(kept, name);
        Assert.DoesNotContain('\ufffd', kept);
    }

    [Fact]
    public async Task Bytes_that_are_no_utf_8_are_replaced_in_a_file_name_and_refused_in_a_category()
    {
        var model = await _client.NewModelAsync();
        byte[] Latin1(Form form) => Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(form.Bytes).Replace("caf#", "caf\u00e9"));
        using var named = Form.Of(Latin1(new Form().Field("category", "cats").File("caf#.jpg", Pictures.Jpeg(1))));
        var image = (await (await _client.PostAsync($"{model}/images", named, Api.Cancel)).JsonAsync())["accepted"]!.AsArray().Single()!;
        Assert.Equal("caf\ufffd.jpg", (string?)image["fileName"]);

        using var categorised = Form.Of(Latin1(new Form().Field("category", "caf#").File("b.jpg", Pictures.Png(2)).Field("category", "cats")
            .File("c.jpg", Pictures.Png(3))));
        var answer = await (await _client.PostAsync($"{model}/images", categorised, Api.Cancel)).JsonAsync();
        Assert.Equal("invalid-category", (string?)answer["rejected"]!.AsArray().Single()!["reason"]);
        Assert.Single((await _client.GetJsonAsync(model))["categories"]!.AsArray());
    }
}
