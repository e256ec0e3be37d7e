using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads.Archives;

/// <summary>
/// What folders say, asked with a list of names as the page does. Sides are never categories; what is not certain is refused as a whole.
/// </summary>
[Collection<ArchivesHost>]
public sealed class FolderLayoutTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData("", "cats/a.png dogs/b.png", "cats dogs")]
    [InlineData("", "pets/cats/a.png pets/dogs/b.png pets/cover.png", "cats dogs missing-category")]
    [InlineData("", "pets\\cats\\2021\\a.png pets\\dogs\\b.png", "cats dogs")]
    [InlineData("", "Training/disc/1.jpg Testing/disc/2.jpg", "disc:train disc:test")] // Kaggle
    [InlineData("", "training_set/disc/1.jpg test_set/disc/2.jpg", "disc:train disc:test")] // Keras
    [InlineData("", "set/TRAIN_DATA/disc/1.jpg set/Test-Images/disc/2.jpg", "disc:train disc:test")]
    [InlineData("", "train/a/1.jpg valid/a/2.jpg test/a/3.jpg dev/a/4.jpg Eval/a/5.jpg hold_out/a/6.jpg Validation+Set/a/7.jpg",
        "a:train a:train a:test a:train a:test a:test a:train")] // Roboflow and others
    [InlineData("", "chest_xray/chest_xray/train/NORMAL/1.jpg chest_xray/chest_xray/test/NORMAL/2.jpg", "NORMAL:train NORMAL:test")]
    [InlineData("", "coco/train2017/a/1.jpg coco/val2017/a/2.jpg coco/test1/a/3.jpg", "a:train a:train a:test")]
    [InlineData("", "train/train/cats/1.jpg test/test/cats/2.jpg", "cats:train cats:test")]
    [InlineData("", "train/cats/1.jpg", "cats:train")]
    [InlineData("", "cats/train/1.jpg cats/test/2.jpg dogs/train/3.jpg dogs/4.jpg", "cats:train cats:test dogs:train dogs")]
    [InlineData("", "train/cats/1.jpg test/2.jpg test/3.jpg", "cats:train missing-category missing-category")] // Kaggle
    [InlineData("", "train/1.jpg car/2.jpg bus/3.jpg", "train car bus")] // trains exist
    [InlineData("train test", "train/1.jpg test/2.jpg", "train test")] // the model says so
    [InlineData("test cats", "test/1.jpg cats/2.jpg", "test cats")]
    [InlineData("cats", "cats/train/1.jpg cats/test/2.jpg", "cats:train cats:test")]
    [InlineData("cats dogs", "download/pets/cats/1.jpg download/pets/dogs/2.jpg", "cats dogs")]
    [InlineData("pets", "pets/cats/1.jpg pets/dogs/2.jpg", "pets pets")]
    [InlineData("Äpfel", "A\u0308pfel/rot/1.png A\u0308pfel/grün/2.png", "A\u0308pfel A\u0308pfel")] // macOS
    [InlineData("images", "images/1.jpg", "images")]
    [InlineData("unlabelled", "cats/1.jpg unlabelled/2.jpg", "cats unlabelled")]
    [InlineData("2021-05-01", "2021-05-01/1.jpg 2021-05-02/2.jpg", "2021-05-01 2021-05-02")]
    [InlineData("", "2019/1.jpg 2020/2.jpg 7/3.jpg", "2019 2020 7")]
    [InlineData("", "_background_/1.jpg cats/2.jpg other/3.jpg", "_background_ cats other")]
    [InlineData("", "cats/1.jpg cats/readme.txt labels/1.xml", "cats unsupported-format unsupported-format")]
    [InlineData("", "../cats/1.jpg /cats/2.jpg C:\\cats\\3.jpg cats/4.jpg", "unsafe-name unsafe-name unsafe-name cats")]
    public async Task What_is_certain_is_done(string categories, string names, string expected)
    {
        var plan = await (await AskAsync(categories, names)).JsonAsync();

        Assert.Equal(expected, string.Join(' ', plan["files"]!.AsArray().Select(file => (string?)file!["reason"]
            ?? $"{string.Join('|', file["categories"]!.AsArray())}{(file["split"] is { } split ? $":{split}" : "")}")));
    }

    [Theory]
    [InlineData("images/1.jpg masks/1.jpg", "named like folders for images of every kind")]
    [InlineData("train/images/1.jpg train/masks/1.jpg test/images/2.jpg test/masks/2.jpg", "named like folders for images of every kind")]
    [InlineData("cats/1.jpg dogs/2.jpg all/3.jpg", "\"all\" is named like")]
    [InlineData("fold1/cats/1.jpg fold1/dogs/2.jpg fold2/cats/3.jpg fold2/dogs/4.jpg", "a part of a data set")]
    [InlineData("2021-05-01/1.jpg 20210502/2.jpg", "a day")]
    [InlineData("DCIM/100CANON/1.jpg DCIM/101APPLE/2.jpg", "the folder of a camera")]
    public async Task What_only_arranges_images_is_no_category(string names, string sentence)
    {
        var problem = await (await AskAsync("", names)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "unclear-folders");
        Assert.Contains(sentence, (string?)problem["detail"]);
        Assert.Contains("Put each category's images into a folder named after it", (string?)problem["detail"]);
    }

    [Theory]
    [InlineData("shapes/train/1.jpg shapes/train/metadata.csv shapes/test/2.jpg")] // Hugging Face
    [InlineData("cats/1.jpg dogs/2.jpg labels.csv")] // the folders or the table?
    [InlineData("set/cats/1.jpg set/dogs/2.jpg set/Labels.xlsx")]
    [InlineData("images/1.jpg metadata.jsonl")]
    public async Task A_table_of_labels_is_only_read_from_an_archive(string names)
    {
        var problem = await (await AskAsync("", names)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "table-in-folder");
        Assert.Contains("put the folder into a zip archive", (string?)problem["detail"]);
    }

    [Theory]
    [InlineData("cats/1.jpg dogs/2.jpg unlabelled/3.jpg", "leave it out")]
    [InlineData("train/cats/1.jpg train/un_sorted/2.jpg train/Not-Labeled/3.jpg", "leave them out")]
    public async Task What_nobody_has_sorted_is_no_category(string names, string cure)
    {
        var problem = await (await AskAsync("", names)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "unclear-folders");
        Assert.Contains(cure, (string?)problem["detail"]);
    }

    [Theory]
    [InlineData("", "train/1.jpg test/2.jpg", "unclear-folders")] // no categories at all
    [InlineData("", "test/1.jpg", "unclear-folders")]
    [InlineData("", "samples/0_1.jpg samples/1_1.jpg", "unclear-folders")]
    [InlineData("", "train/images/1.jpg train/labels/1.txt valid/images/2.jpg", "unclear-folders")] // YOLO
    [InlineData("", "images/train/1.jpg images/val/2.jpg labels/train/1.txt", "unclear-folders")]
    [InlineData("", "cats/1.jpg dogs/2.jpg test/3.jpg", "unclear-folders")]
    [InlineData("", "train/cats/1.jpg train/dogs/2.jpg extra/3.jpg", "unclear-folders")]
    [InlineData("", "seg_train/a/1.jpg seg_test/a/2.jpg seg_pred/3.jpg", "unclear-folders")]
    [InlineData("", "train_cats/1.jpg train_dogs/2.jpg test_cats/3.jpg", "unclear-folders")]
    [InlineData("", "pets/train/1.jpg pets/test/2.jpg", "unclear-folders")] // a category, or the folder around the sides?
    [InlineData("", "cats/1.jpg cats/2021/test/2.jpg dogs/3.jpg", "unclear-folders")]
    [InlineData("", "cats/test/1.jpg cats/old/2.jpg dogs/3.jpg", "unclear-folders")]
    [InlineData("", "valid/1.jpg invalid/2.jpg", "unclear-folders")]
    [InlineData("cats dogs", "train/1.jpg test/2.jpg", "unclear-folders")]
    [InlineData("", "download/pets/cats/a.png download/pets/dogs/b.png", "too-deep")]
    [InlineData("", "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/train/cats/1.jpg", "too-deep")]
    [InlineData("", "train/set/cats/1.jpg test/set/cats/2.jpg", "too-deep")]
    public async Task What_is_not_certain_is_refused_as_a_whole_and_the_sentence_helps(string categories, string names, string type)
    {
        var problem = await (await AskAsync(categories, names)).ProblemAsync(HttpStatusCode.UnprocessableEntity, type);
        Assert.Matches("(?i)(put each|create the archive)", (string?)problem["detail"]);
    }

    [Fact]
    public async Task An_archive_that_is_refused_leaves_the_model_as_it_was()
    {
        var model = await _client.NewModelAsync();
        await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(("train/a.png", Pictures.Tiny(1)), ("test/b.png",
            Pictures.Tiny(2)))))).ProblemAsync(HttpStatusCode.UnprocessableEntity, "unclear-folders");
        Assert.Empty((await _client.GetJsonAsync(model))["categories"]!.AsArray());
    }

    [Fact]
    public async Task What_systems_leave_behind_is_left_out_with_one_sentence()
    {
        (string, byte[])[] files =
        [
            ("pets/cats/a.png", Pictures.Tiny(1)), ("pets/dogs/b.png", Pictures.Tiny(2)),
            .. new[]
            {
                "pets/.ipynb_checkpoints/a-checkpoint.png", "pets/cats/@eaDir/a.png/SYNOPHOTO_THUMB_M.png", "pets/cats/._a.png",
                "pets/cats/Thumbs.db", "pets/dogs/desktop.ini", "__MACOSX/pets/cats/._a.png", "pets/.DS_Store", "$RECYCLE.BIN/x.png",
                "System Volume Information/x.png", "pets/.git/x.png", ".Trash-1000/files/x.png", "#recycle/x.png", "lost+found/x.png",
                "pets/THUMBS.DB", "@Recycle/x.png", "pets/cats/.hidden/x.png", "pets/~$dogs.png",
            }.Select((name, i) => (name, Pictures.Tiny(50 + i))),
        ];
        var model = await _client.NewModelAsync();

        var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(files)))).JsonAsync();

        Assert.Equal(["pets/cats/a.png cats", "pets/dogs/b.png dogs"], UploadCalls.Accepted(answer));
        Assert.Empty(answer["rejected"]!.AsArray());
        Assert.StartsWith("17 hidden or system files were left out", (string?)Assert.Single(answer["notices"]!.AsArray()));
        Assert.Equal(2, (await _client.GetJsonAsync(model))["categories"]!.AsArray().Count);
        var plan = await (await AskAsync("", [.. files.Select(file => file.Item1)])).JsonAsync();
        Assert.Equal((2, 17), ((int)plan["examples"]!, plan["files"]!.AsArray().Count(f => (string?)f!["reason"] == "system-file")));
    }

    [Fact]
    public async Task A_form_leaves_them_out_too_but_takes_a_file_that_was_chosen_by_itself()
    {
        var model = await _client.NewModelAsync("cats");
        using var form = new Form().Field("category", "cats").File("pets/cats/a.png", Pictures.Tiny(1)).File("._a.png", [0, 5, 22, 7])
            .File("pets/.thumbnails/a.png", Pictures.Tiny(2)).File("Thumbs.db", [1]).File(".png", Pictures.Tiny(3)).Content();

        var answer = await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();

        Assert.Equal(["pets/cats/a.png cats", ".png cats"], UploadCalls.Accepted(answer));
        Assert.Equal((0, 1), (answer["rejected"]!.AsArray().Count, answer["notices"]!.AsArray().Count));
    }

    [Fact]
    public async Task An_import_keeps_its_notices_and_how_its_folders_were_understood()
    {
        var model = await _client.NewModelAsync();
        var import = await _client.ImportAsync(model, Batches.Archive(Batches.Zip(("cats/cats/a.png", Pictures.Tiny(1)),
            ("cats/dogs/b.png", Pictures.Tiny(2)), ("cats/dogs/.DS_Store", [1]))), "?async=true");

        Assert.Equal((2, 1), ((int)import["accepted"]!, import["notices"]!.AsArray().Count));
        Assert.Equal(["cats/cats/a.png cats", "cats/dogs/b.png dogs"],
            (await _client.ImagesAsync(model)).Select(image => image[..image.LastIndexOf(' ')]));
    }

    private Task<HttpResponseMessage> AskAsync(string categories, string names) =>
        AskAsync(categories, [.. names.Split(' ').Select(name => name.Replace('+', ' '))]);

    private async Task<HttpResponseMessage> AskAsync(string categories, string[] names)
    {
        var model = await _client.NewModelAsync(categories.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var body = new JsonObject { ["images"] = new JsonArray([.. names.Select(name => new JsonObject { ["file"] = name })]) };
        return await _client.SendImagesAsync(model, UploadCalls.Body("application/json", body.ToJsonString()), "?dryRun=true");
    }
}
