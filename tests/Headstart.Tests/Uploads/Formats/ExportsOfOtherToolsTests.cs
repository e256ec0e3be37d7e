using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads.Formats;

/// <summary>What people get from other tools, to the letter of each format. The table of docs/uploads.md is that
/// of <see cref="LabelSample"/>.</summary>
[Collection<FormatsHost>]
public sealed class ExportsOfOtherToolsTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Exports_of_other_tools_are_known_for_what_they_are()
    {
        foreach (var sample in LabelSample.All)
        {
            var model = await ModelAsync(sample.Several);
            var response = await _client.SendImagesAsync(model, Zip(sample.Files), "?async=false");
            var answer = await response.Content.ReadAsStringAsync(Api.Cancel);
            var images = (await _client.ImagesAsync(model)).Zip(sample.Expected.DefaultIfEmpty(""), (image, expected) =>
                expected.EndsWith('*') ? image[..image.LastIndexOf(' ')] + " *" : image);
            Assert.True(images.SequenceEqual(sample.Expected.Order(StringComparer.Ordinal)), $"{sample.Files[0]}: {answer}");
            Assert.True(UploadCalls.Rejected(JsonNode.Parse(answer)!).SequenceEqual(sample.Rejected ?? []), $"{sample.Files[0]}: {answer}");
        }

        await Documents.TableAsync("| format | what is read | what is not |\n| --- | --- | --- |\n", string.Concat(LabelSample.All
            .Where(sample => sample.Format.Length > 0).Select(sample => $"| {sample.Format} | {sample.Read} | {sample.NotRead} |\n")));
    }

    [Theory]
    [InlineData("unknown-annotations", "animals.csv=photo,breed↵a.png,cat↵b.png,dog↵", "images/a.png", "images/b.png")]
    [InlineData("unknown-annotations", "ids.csv=image_id,breed↵a,cat↵b,dog↵", "train/a.png", "train/b.png")]
    [InlineData("unknown-annotations", "other.json={\"a.png\":{\"k\":\"cat\"},\"b.png\":{\"k\":\"dog\"}}", "images/a.png", "images/b.png")]
    [InlineData("unknown-annotations", "metadata.csv=file_name,text↵a.png,a cat↵b.png,a dog↵", "a.png", "b.png")]
    [InlineData("unknown-annotations", "train/metadata.parquet=PAR1", "train/a.png", "train/b.png")]
    [InlineData("unknown-annotations", "data/train-00000-of-00001.parquet=PAR1", "README.md=about")]
    [InlineData("unknown-annotations", "labels.xlsx=PK", "cats/a.png", "dogs/b.png")]
    [InlineData("unknown-annotations", "image_2/a.png", "image_2/b.png", "label_2/a.txt=Car 0.00 0↵", "label_2/b.txt=Van 0.00 0↵")] // KITTI
    [InlineData("invalid-annotations", "v.json={\"a.png1\":{\"filename\":\"a.png\",\"regions\":[],\"file_attributes\":{\"kind\":\"cat\",\"colour\":"
        + "\"red\"}}}", "a.png")]
    [InlineData("invalid-annotations", "labels.json={\"classes\":[\"cat\"],\"labels\":{\"a\":3}}", "data/a.png")]
    [InlineData("invalid-annotations", "samples.json={\"samples\":[{\"filepath\":\"a.png\",\"one\":{\"_cls\":\"Classification\",\"label\":\"cat\"},"
        + "\"two\":{\"_cls\":\"Classification\",\"label\":\"dog\"}}]}", "a.png")]
    [InlineData("invalid-annotations", "metadata.json={\"labels\":[\"cat\"]}", "samples/0_0.png", "samples/1_0.png")]
    [InlineData("unsupported-project", "manifest.json={\"type\":\"audio\",\"appdata\":{}}", "Clap-!-0.webm")]
    [InlineData("invalid-annotations", "images/a.png", "labels/a.txt=0 0.5 0.5 0.1 0.1↵")]
    [InlineData("invalid-annotations", "classes.txt=cat↵", "images/a.png", "labels/a.txt=3 0.5 0.5 0.1 0.1↵")]
    [InlineData("invalid-annotations", "video.xml=<annotations><track id=\"0\" label=\"cat\"/></annotations>", "a.png")]
    [InlineData("invalid-annotations", "c.json={\"images\":[{\"id\":1,\"file_name\":\"a.png\"}],\"annotations\":[{\"image_id\":1,\"category_id\":5}],"
        + "\"categories\":[]}", "a.png")]
    [InlineData("invalid-annotations", "two.csv=file,label,tag↵a.png,cat,red↵", "a.png")]
    [InlineData("invalid-annotations", "train.csv=id,label↵a,cat↵\"b,dog↵c,cat↵", "a.png", "b.png", "c.png")]
    [InlineData("ambiguous-row", "animals.csv=file,category↵a.png,cat↵", "one/a.png", "two/a.png")]
    [InlineData("contradiction", "one.csv=file,label↵a.png,cat↵", "two.csv=file,label↵a.png,dog↵", "a.png")]
    [InlineData("contradiction", "x/classes.txt=cat↵dog↵", "y/classes.txt=dog↵cat↵", "images/a.png", "labels/a.txt=0 0.5 0.5 0.1 0.1↵")]
    [InlineData("contradiction", "classes.txt=cat↵dog↵", "obj.names=dog↵cat↵", "images/a.png", "labels/a.txt=0 0.5 0.5 0.1 0.1↵")]
    [InlineData("contradiction", "x/classes.txt=cat↵dog↵", "y/classes.txt=dog↵cat↵", "train.txt=a.png 0↵", "images/a.png")]
    [InlineData("unclear-folders", "data.csv=file,label↵train/a.png,cat↵test/b.png,cat↵extra/c.png,dog↵", "train/a.png", "test/b.png",
        "extra/c.png")]
    [InlineData("unclear-folders", "labels.csv=file,category↵train/a.png,cat↵test/b.png,cat↵extra/c.png,dog↵", "train/a.png", "test/b.png",
        "extra/c.png")]
    public async Task What_is_not_certain_is_refused_before_anything_is_stored(string type, params string[] files)
    {
        var model = await ModelAsync(several: false);
        var problem = await (await _client.SendImagesAsync(model, Zip(files))).ProblemAsync(HttpStatusCode.UnprocessableEntity, type);
        Assert.EndsWith("Nothing was added.", (string?)problem["detail"]);
        Assert.Empty((await _client.GetJsonAsync(model))["categories"]!.AsArray());
    }

    [Fact]
    public async Task Annotations_too_large_to_read_refuse_the_archive()
    {
        var model = await ModelAsync(several: false);
        var zip = Batches.Zip(CompressionLevel.Fastest, ("coco.json", new byte[(64 << 20) + 1]), ("cats/a.png", Pictures.Tiny(1)));
        var problem = await (await _client.SendImagesAsync(model, Batches.Archive(zip)))
            .ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");
        Assert.StartsWith("\"coco.json\" may have the labels, and is larger than 64 MiB; ", (string?)problem["detail"]);
        Assert.Empty(await _client.ImagesAsync(model));
    }

    /// <summary>As the frames of videos, where comparing each row with each file would take minutes.</summary>
    [Theory]
    [InlineData("frames.csv", "clip", 20_000)]
    [InlineData("frames.csv", "/home/me/clip", 20_000)] // on another computer
    [InlineData("frames.csv", "lost", null)]
    [InlineData("labels.csv", "lost", 0)]
    public async Task Thousands_of_files_of_one_name_are_told_apart_by_their_folders(string table, string folder, int? found)
    {
        var rows = Enumerable.Range(0, 20_000).Select(i => $"{folder}{i}/a.png,cat\n");
        var zip = Batches.Zip([(table, Encoding.UTF8.GetBytes("file,category\n" + string.Concat(rows))),
            .. Enumerable.Range(0, 20_000).Select(i => ($"clip{i}/a.png", Array.Empty<byte>()))]);

        var answer = await _client.SendImagesAsync(await ModelAsync(several: false), Batches.Archive(zip), "?dryRun=true");

        if (found is null)
        {
            var problem = await answer.ProblemAsync(HttpStatusCode.UnprocessableEntity, "ambiguous-row");
            Assert.Contains("names \"lost0/a.png\", and the archive has several such files", (string?)problem["detail"]);
        }
        else
        {
            Assert.Equal(found, (int)(await answer.JsonAsync())["examples"]!);
        }
    }

    /// <summary>Annotations that are broken somewhere: an answer, and never a category that is only the name of a folder around
    /// images.</summary>
    [Fact]
    public async Task Broken_annotations_get_an_answer_and_no_guess()
    {
        var random = new Random(21);
        string[] folders = ["images", "img", "train", "test", "valid", "labels", "annotations", "JPEGImages", "train2017"];
        foreach (var sample in LabelSample.All.Where(sample => sample.Files.Any(file => file.Contains('='))))
        {
            var model = await ModelAsync(sample.Several);
            List<string> files = [.. sample.Files.Select(file =>
                file.Split('=', 2) is [var name, var content] ? $"{name}={Break(content, random)}" : file)];
            var answer = await _client.SendImagesAsync(model, Zip([.. files]), "?async=false");
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest,
                $"{answer.StatusCode} {string.Join('\n', files)}");
            var categories = (await _client.GetJsonAsync(model))["categories"]!.AsArray().Select(category => (string?)category!["name"]);
            Assert.True(!categories.Intersect(folders).Any(), string.Join('\n', files));
        }
    }

    private static string Break(string text, Random random)
    {
        var (from, to) = (random.Next(text.Length + 1), random.Next(text.Length + 1));
        return random.Next(4) switch
        {
            0 => text[..from],
            1 => text[..Math.Min(from, to)] + text[Math.Max(from, to)..],
            2 => text[..from] + "\"{[<,\0\uFFFD"[random.Next(7)] + text[from..],
            _ => text[..from] + text[Math.Min(from, to)..],
        };
    }

    [Fact]
    public async Task The_same_files_say_what_they_can_when_they_come_alone()
    {
        Assert.Equal(["gs://bucket/a.png file-not-sent"], UploadCalls.Rejected(await RefusedAsync("text/csv", "TRAIN,gs://bucket/a.png,daisy\n")));
        Assert.Equal(["b.png private-address"], UploadCalls.Rejected(await RefusedAsync("application/json",
            "[{\"id\":1,\"annotations\":[{\"result\":[{\"value\":{\"choices\":[\"Cat\"]},\"type\":\"choices\"}]}],"
            + "\"data\":{\"image\":\"http://10.0.0.1/b.png?x=1\"}}]")));
        Assert.Equal(["c.png private-address"], UploadCalls.Rejected(await RefusedAsync("application/json",
            "{\"images\":[{\"id\":1,\"file_name\":\"c.png\",\"coco_url\":\"http://10.0.0.1/c.png\"}],\"annotations\":[{\"image_id\":1,"
            + "\"category_id\":1}],\"categories\":[{\"id\":1,\"name\":\"cat\"}]}")));
        Assert.Equal(["s3://bucket/d.png file-not-sent"], UploadCalls.Rejected(await RefusedAsync("application/x-ndjson",
            "{\"source-ref\":\"s3://bucket/d.png\",\"c\":0,\"c-metadata\":{\"class-name\":\"cat\"}}")));
    }

    [Fact]
    public async Task What_an_annotator_has_refused_is_not_learned()
    {
        Assert.Equal(["refused-answer"], (await RefusedAsync("application/x-ndjson",
            $"{{\"base64\":\"{Convert.ToBase64String(Pictures.Tiny(1))}\",\"label\":\"cat\",\"answer\":\"reject\"}}"))["rejected"]!.AsArray()
            .Select(row => (string?)row!["reason"]));
        var model = await ModelAsync(several: false);
        var answer = await (await _client.SendImagesAsync(model,
            Zip(["t.csv=image,label,answer↵a.png,cat,accept↵b.png,cat,reject↵", "a.png", "b.png"]))).JsonAsync();
        Assert.Equal(["a.png cat"], UploadCalls.Accepted(answer));
        Assert.Equal(["b.png refused-answer"], UploadCalls.Rejected(answer));
    }

    [Fact]
    public async Task A_label_in_json_lines_may_be_called_so_and_be_a_number()
    {
        var model = await ModelAsync(several: false);
        var line = $"{{\"base64\":\"{Convert.ToBase64String(Pictures.Tiny(1))}\",\"fileName\":\"0.png\",\"label\":0}}";
        var answer = await (await _client.SendImagesAsync(model, UploadCalls.Body("application/x-ndjson", line))).JsonAsync();
        Assert.Equal(["0.png 0"], UploadCalls.Accepted(answer));
    }

    [Fact]
    public async Task A_form_may_have_the_export_of_another_tool_as_its_manifest()
    {
        var model = await ModelAsync(several: false);
        using var form = new Form().Part("form-data; name=\"manifest\"; filename=\"min.json\"", ("[{\"image\":\"/data/upload/1/a1b2c3d4-a.png\","
            + "\"id\":1,\"choice\":\"Cat\",\"annotator\":1,\"annotation_id\":1,\"lead_time\":2.5}]").Select(c => (byte)c).ToArray())
            .File("a.png", Pictures.Tiny(1)).Content();
        Assert.Equal(["a.png Cat"], UploadCalls.Accepted(await (await _client.SendImagesAsync(model, form)).JsonAsync()));
    }

    private async Task<JsonNode> RefusedAsync(string type, string body) =>
        await (await _client.SendImagesAsync(await ModelAsync(several: false), UploadCalls.Body(type, body), "?async=false"))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");

    private async Task<string> ModelAsync(bool several) => !several ? await _client.NewModelAsync()
        : "/api/v1/models/" + (await (await _client.PostAsync("/api/v1/models",
            new { name = $"{Guid.CreateVersion7()}", kind = "multiLabelImageClassification" }))
            .JsonAsync(HttpStatusCode.Created))["id"];

    /// <summary>An image for each name, each another one; a text for each <c>name=content</c>.</summary>
    private static ByteArrayContent Zip(string[] files) => Batches.Archive(Batches.Zip(files.Select((file, i) => file.Split('=', 2) switch
    {
        [var name, var content] => (name, Encoding.UTF8.GetBytes(content.Replace("↵", "\n", StringComparison.Ordinal))),
        _ => (file, Pictures.Tiny(i)),
    })));
}
