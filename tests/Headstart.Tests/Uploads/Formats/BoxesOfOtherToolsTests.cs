using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using NetVips;
using static Headstart.Tests.Uploads.Formats.DetectionUploads;

namespace Headstart.Tests.Uploads.Formats;

/// <summary>What people get from other tools for a detection model, to the letter. The second table of docs/uploads.md is the list
/// of <see cref="BoxSample"/>.</summary>
[Collection<FormatsHost>]
public sealed class BoxesOfOtherToolsTests(TestHost host)
{
    private const string A = BoxSample.A, B = BoxSample.B;

    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Boxes_of_other_tools_are_read_as_they_mean_them()
    {
        foreach (var sample in BoxSample.All)
        {
            var model = await _client.NewDetectorAsync();
            var response = await _client.SendImagesAsync(model, Zip(sample.Files), "?async=false");
            var answer = await response.Content.ReadAsStringAsync(Api.Cancel);
            var rows = await _client.RowsAsync(model);
            Assert.True(rows.SequenceEqual(sample.Expected.Order(StringComparer.Ordinal)), $"{string.Join('\n', rows)}\n{sample.Files[0]}: {answer}");
        }

        await Documents.TableAsync("| format | boxes |\n| --- | --- |\n",
            string.Concat(BoxSample.All.Where(sample => sample.Format.Length > 0).Select(sample => $"| {sample.Format} | {sample.Boxes} |\n")));
    }

    [Theory]
    [InlineData("Box 2 (\"cat\") extends beyond", "c.json={\"images\":[{\"id\":1,\"file_name\":\"a.png\"}],\"annotations\":[{\"image_id\":1,\"category_id\":1,\"bbox\":"
        + "[0,0,4,4]},{\"image_id\":1,\"category_id\":1,\"bbox\":[10,10,8,4]}],\"categories\":[{\"id\":1,\"name\":\"cat\"}]}")]
    [InlineData("Box 1 (\"cat\") is empty", "c.json={\"images\":[{\"id\":1,\"file_name\":\"a.png\"}],\"annotations\":[{\"image_id\":1,\"category_id\":1,\"bbox\":"
        + "[4,4,0,4]}],\"categories\":[{\"id\":1,\"name\":\"cat\"}]}")]
    [InlineData("Box 1 (\"cat\") has no bbox", "c.json={\"images\":[{\"id\":1,\"file_name\":\"a.png\"}],\"annotations\":[{\"image_id\":1,\"category_id\":1}],"
        + "\"categories\":[{\"id\":1,\"name\":\"cat\"}]}")]
    [InlineData("an image of 16 x 32 pixels, but this one has 16 x 16", "c.json={\"images\":[{\"id\":1,\"file_name\":\"a.png\",\"width\":16,\"height\":32}],"
        + "\"annotations\":[{\"image_id\":1,\"category_id\":1,\"bbox\":[4,4,4,4]}],\"categories\":[{\"id\":1,\"name\":\"cat\"}]}")]
    [InlineData("All its boxes are inside one", "c.json={\"images\":[{\"id\":1,\"file_name\":\"a.png\"}],\"annotations\":[{\"image_id\":1,\"category_id\":1,"
        + "\"bbox\":[0.2,0.2,0.5,0.5]}],\"categories\":[{\"id\":1,\"name\":\"cat\"}]}")]
    [InlineData("Box 1 (\"cat\") has its corners swapped", "a.xml=<annotation><filename>a.png</filename><object><name>cat</name><bndbox><xmin>8</xmin><ymin>4"
        + "</ymin><xmax>4</xmax><ymax>8</ymax></bndbox></object></annotation>")]
    [InlineData("Box 1 (\"cat\") lacks a number", "a.xml=<annotation><filename>a.png</filename><object><name>cat</name><bndbox><xmin>8</xmin></bndbox></object>"
        + "</annotation>")]
    [InlineData("Box 1 (\"cat\") has 5 numbers", "a.txt=0 0.5 0.5 0.2 0.2 0.93↵", "classes.txt=cat↵")]
    [InlineData("Box 1 (\"cat\") extends beyond", "i.csv=gs://b/a.png,cat,4,8,,,8,12,,↵")]
    [InlineData("Box 1 (\"cat\") is turned by 30 degrees", "v.xml=<annotations><image name=\"a.png\"><box label=\"cat\" xtl=\"4\" ytl=\"8\" xbr=\"8\" ybr=\"12\" "
        + "rotation=\"30\"/></image></annotations>")]
    [InlineData("It is not certain whether the boxes of the table", "labels.csv=file,category,xmin,ymin,xmax,ymax↵a.png,cat,0,"
        + "0,1,1↵")]
    [InlineData("is not a number; give a box", "labels.csv=file,category,xmin,ymin,xmax,ymax↵a.png,cat,0,0,\"0,5\",0.5↵a.png,cat,0,0,0.5,0.5↵")]
    [InlineData("is not a number; give a box", "labels.csv=file;category;xmin;ymin;xmax;ymax↵a.png;cat;0,25;0,5;0,5;0,75↵")]
    [InlineData("has 7 columns and the header 6", "labels.csv=file,category,xmin,ymin,xmax,ymax↵a.png,cat,0,0,0.5,0.5↵"
        + "a.png,cat,0,0,0,5,0.5↵")]
    [InlineData("has 7 columns and the header 6", "boxes.csv=file,category,xmin,ymin,xmax,ymax↵a.png,cat,0,0,0.5,0.5↵"
        + "a.png,cat,0,0,0,5,0.5↵")]
    [InlineData("have a category without a box", "labels.csv=file,category,xmin,ymin,xmax,ymax↵a.png,cat,0,0,0.5,0.5↵a.png,dog,,,,↵")]
    [InlineData("nothing says where in the image it is", "labels.csv=file,category↵a.png,cat↵")]
    public async Task A_box_that_is_not_certain_refuses_its_image_with_a_sentence(string sentence, params string[] files)
    {
        var model = await _client.NewDetectorAsync();
        var answer = await (await _client.SendImagesAsync(model, Zip([.. files, "a.png"]), "?async=false"))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");

        var refused = Assert.Single(answer["rejected"]!.AsArray())!;
        Assert.Contains(sentence, (string?)refused["detail"]);
        Assert.Equal("a.png", (string?)refused["fileName"]);
        Assert.Empty((await _client.GetJsonAsync(model))["categories"]!.AsArray());
        Assert.Empty(await _client.RowsAsync(model));
    }

    [Fact]
    public async Task Two_annotations_with_other_boxes_for_an_image_refuse_the_archive()
    {
        var model = await _client.NewDetectorAsync();
        var problem = await (await _client.SendImagesAsync(model, Zip(["classes.txt=cat↵", "a.txt=0 0.5 0.5 0.2 0.2↵", "a.png",
            "a.xml=<annotation><filename>a.png</filename><object><name>cat</name><bndbox><xmin>4</xmin><ymin>4</ymin><xmax>8</xmax>"
                + "<ymax>8</ymax></bndbox>"
            + "</object></annotation>"]))).ProblemAsync(HttpStatusCode.UnprocessableEntity, "contradiction");
        Assert.Contains("\"a.png\" has other boxes", (string?)problem["detail"]);
    }

    [Fact]
    public async Task In_other_models_the_same_files_say_what_they_always_said()
    {
        var model = await _client.NewModelAsync();
        await _client.SendImagesAsync(model, Zip(BoxSample.All.First(sample => sample.Format == "YOLO").Files
            .Where(file => !file.StartsWith("train/labels/a", StringComparison.Ordinal))
            .Append("train/labels/a.txt=0 0.375 0.625 0.25 0.25↵").ToArray()), "?async=false");
        Assert.Equal(["train/images/a.png cat train"], await _client.ImagesAsync(model));
    }

    /// <summary>A dark patch in a bright image: wherever the file says is up, the box must lie on the patch.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Boxes_drawn_in_the_unturned_image_are_turned_with_it(int orientation)
    {
        var model = await _client.NewDetectorAsync();
        var photo = Turned(orientation);
        var answer = await (await _client.SendImagesAsync(model, Zip([("a.png", photo), ("c.json", Coco(32, 24, "[4,2,8,6]"))]), "?async"
            + "=false")).JsonAsync();

        var box = answer["accepted"]![0]!["boxes"]![0]!;
        using var image = Image.NewFromBuffer(photo);
        using var upright = image.Autorot();
        Assert.Equal((24, 32), (upright.Width, upright.Height));
        var (x, y) = ((double)box["x"]! * 24, (double)box["y"]! * 32);
        Assert.Equal((6, 8), (Math.Round((double)box["width"]! * 24), Math.Round((double)box["height"]! * 32)));
        using var inside = upright.ExtractArea((int)Math.Round(x), (int)Math.Round(y), 6, 8);
        Assert.Equal((0, 255.0 * (24 * 32 - 48) / (24 * 32)), (inside.Max(), upright.Avg()));
    }

    [Fact]
    public async Task Boxes_of_the_upright_image_stay_and_where_it_is_not_certain_the_image_is_refused()
    {
        var model = await _client.NewDetectorAsync();
        await (await _client.SendImagesAsync(model, Zip([("a.png", Turned(6)), ("c.json", Coco(24, 32, "[12,16,6,8]"))]),
            "?async=false")).JsonAsync();
        Assert.Equal(["a.png: cat 0.5 0.5 0.25 0.25"], await _client.RowsAsync(model));

        foreach (var (orientation, annotation) in new[] { (3, Coco(32, 24, "[4,2,8,6]")), (6, Coco(null, null, "[4,2,8,6]")) })
        {
            var problem = await (await _client.SendImagesAsync(await _client.NewDetectorAsync(),
                Zip([("a.png", Turned(orientation)), ("c.json", annotation)]), "?async=false"))
                .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");
            Assert.Contains($"EXIF orientation {orientation}", (string?)problem["detail"]);
        }
    }

    [Fact]
    public async Task A_form_an_import_and_a_dry_run_read_the_same()
    {
        var sample = BoxSample.All.First(one => one.Format == "COCO JSON");
        var plan = await (await _client.SendImagesAsync(await _client.NewDetectorAsync(), Zip(sample.Files), "?dryRun=true")).JsonAsync();
        Assert.Equal((4, "1 image has no boxes: "), ((int)plan["examples"]!, ((string)plan["notices"]!.AsArray()[^1]!)[..22]));
        Assert.Equal(["cat 2", "dog 1"], plan["categories"]!.AsArray().Select(c => $"{c!["name"]} {c["examples"]}"));

        var imported = await _client.NewDetectorAsync();
        var import = await _client.ImportAsync(imported, Zip(sample.Files), "?async=true");
        Assert.Equal(sample.Expected, await _client.RowsAsync(imported));
        Assert.Contains(import["notices"]!.AsArray(), notice =>
            ((string)notice!).StartsWith("1 image has no boxes", StringComparison.Ordinal));

        var model = await _client.NewDetectorAsync();
        using var form = new Form().Part("form-data; name=\"manifest\"; filename=\"c.json\"", Coco(16, 16, "[4,8,4,4]"))
            .File("a.png", Pictures.Tiny(1)).File("b.png", Pictures.Tiny(2)).Content();
        var answer = await (await _client.SendImagesAsync(model, form)).JsonAsync();
        Assert.Equal([$"a.png: {A}", "b.png: ?"], await _client.RowsAsync(model));
        Assert.StartsWith("1 image has no boxes", (string?)answer["notices"]![0]);
    }

    [Fact]
    public async Task Feedback_replaces_the_boxes_of_an_image_and_confirms_them()
    {
        var model = await _client.NewDetectorAsync();
        await (await _client.SendImagesAsync(model, Zip([("a.png", Pictures.Tiny(1)), ("c.json", Coco(16, 16, "[4,8,4,4]"))]), "?async=f"
            + "alse")).JsonAsync();

        object[] boxes = [new { category = "cat", x = 0, y = 0, width = 0.5, height = 0.25 }];
        foreach (var path in new[] { "feedback", "feedback/list" })
        {
            var answer = await (await _client.PostAsync($"{model}/{path}", new
            {
                images = new[] { new { base64 = Convert.ToBase64String(Pictures.Tiny(1)), fileName = "a.png", boxes } },
            })).JsonAsync();
            Assert.True((bool)answer["accepted"]![0]!["confirmed"]!);
            Assert.Equal(["a.png: cat 0 0 0.5 0.25"], await _client.RowsAsync(model));
            boxes = [new { category = "cat", x = 0, y = 0, width = 0.5, height = 0.25 }];
        }

        using var form = new Form().Part("form-data; name=\"manifest\"; filename=\"c.json\"", Coco(16, 16, "[4,8,4,4]")).File("a.png", Pictures.Tiny(1))
            .File("b.png", Pictures.Tiny(2)).Content();
        var again = await (await _client.PostAsync($"{model}/feedback", form, Api.Cancel)).JsonAsync();
        Assert.Equal([$"a.png: {A}"], await _client.RowsAsync(model));
        Assert.Equal(["b.png boxes-missing"], UploadCalls.Rejected(again));
    }

    /// <summary>Real sets: a folder of images with the COCO files of both sides.</summary>
    [Fact]
    public async Task A_real_data_set_arrives_with_all_its_boxes_on_the_right_sides()
    {
        var folder = SharedData.Folder("datasets/detection/blood_cells");
        var model = await _client.NewDetectorAsync();
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => (Path.GetRelativePath(folder, file), File.ReadAllBytes(file)));

        var answer = await (await _client.SendImagesAsync(model, Zip([.. files]), "?async=false")).JsonAsync();

        Assert.Empty(answer["rejected"]!.AsArray());
        var counts = await host.QueryAsync(async db =>
        {
            var id = Guid.Parse(model.Split('/')[^1]);
            return await db.Examples.Where(e => e.ModelId == id && e.BoxesKnown && e.SplitGiven).GroupBy(e => e.Split)
                .Select(side => new { side.Key, Images = side.Count(), Boxes = side.Sum(e => e.Boxes.Count) }).ToListAsync();
        });
        Assert.Equal([(Split.Test, 72, 935), (Split.Train, 292, 3951)], counts.OrderBy(side => side.Key.ToString(), StringComparer.Ordinal)
            .Select(side => (side.Key, side.Images, side.Boxes)));
    }

    private static byte[] Coco(int? width, int? height, string bbox) => System.Text.Encoding.UTF8.GetBytes(
        $"{{\"images\":[{{\"id\":1,\"file_name\":\"a.png\",\"width\":{width?.ToString(CultureInfo.InvariantCulture) ?? "null"},\"height\":"
        + $"{height?.ToString(CultureInfo.InvariantCulture) ?? "null"}}}],\"annotations\":[{{\"id\":1,\"image_id\":1,\"category_id\":1,\"bbox\":{bbox}}}],"
        + "\"categories\":[{\"id\":1,\"name\":\"cat\"}]}");

    /// <summary>32 x 24 stored pixels, bright, with a dark patch from 4, 2 to 12, 8.</summary>
    private static byte[] Turned(int orientation)
    {
        Headstart.Learning.Native.VipsRuntime.EnsureLoaded();
        using var black = Image.Black(32, 24);
        using var bright = black.Invert();
        using var patch = Image.Black(8, 6);
        using var image = bright.Insert(patch, 4, 2);
        using var turned = image.Mutate(fields => fields.Set(GValue.GIntType, "orientation", orientation));
        return turned.PngsaveBuffer();
    }
}
