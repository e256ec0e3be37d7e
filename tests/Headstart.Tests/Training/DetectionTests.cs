using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Headstart.Jobs;
using Headstart.Learning.Native;
using Headstart.Tests.ApiDocument;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Clients;
using Headstart.Tests.Postgres;
using Headstart.Tests.Processes;
using Headstart.Tests.Uploads;
using Headstart.Tests.Versions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Tests.Training;

/// <summary>A host with a trained detection model, whose answers are compared with the document.</summary>
public sealed class DetectorHost(TestPostgres postgres) : DocumentedHost(postgres), IAsyncLifetime
{
    public string Model { get; private set; } = "";

    public JsonNode Run { get; private set; } = null!;

    protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Training:DetectionEffort", "0.4")];

    public new async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Model = await Client.ScenesAsync(14);
        await Client.AddScenesAsync(Model, Enumerable.Range(200, 20).Select(number => Scenes.Of(number, split: "test")));
        await Client.AddScenesAsync(Model, [Scenes.Of(1_000, objects: 0), new { base64 = Convert.ToBase64String(Pictures.Png(1)) }]);
        Run = await Client.TrainAsync(Model);
    }
}

/// <summary>A detection model from its pictures to its answers.</summary>
public sealed class DetectionTests(DetectorHost host) : IClassFixture<DetectorHost>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task A_run_makes_a_published_version_and_says_what_it_left_out()
    {
        Assert.True(("succeeded", 1) == ((string?)host.Run["state"], (int?)host.Run["version"]), host.Run.ToJsonString());
        Assert.Contains(host.Run["notices"]!.AsArray(), notice => ((string?)notice)!.StartsWith("One image did not take part"));
        var trial = Assert.Single(host.Run["backbones"]!.AsArray(), trial => (bool)trial!["chosen"]!)!;
        Assert.StartsWith("headstart-small@", (string?)trial["id"]);
        var version = await _client.GetJsonAsync($"{host.Model}/versions/1");
        Assert.Equal(("headstart-small", true), ((string?)version["backbone"], (bool)version["published"]!));
        Assert.InRange((double)version["accuracy"]!, 0.3, 1);
        Assert.Equal("trained", (string?)(await _client.GetJsonAsync(host.Model))["state"]);
    }

    [Fact]
    public async Task Objects_are_found_where_they_are()
    {
        var answer = (await PredictAsync(Scenes.File(77)))["predictions"]![0]!;

        Assert.Empty(answer["labels"]!.AsArray());
        Assert.Equal((160, 120), ((int)answer["width"]!, (int)answer["height"]!));
        var objects = answer["objects"]!.AsArray();
        Assert.NotEmpty(objects);
        Assert.Equal(objects.Select(Probability).OrderDescending(), objects.Select(Probability));
        var expected = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(Scenes.Of(77)))!["boxes"]!.AsArray();
        Assert.Contains(expected, box => objects.Any(found => (string?)found!["label"] == (string?)box!["category"]
            && Math.Abs((double)found["box"]!["x"]! - (double)box["x"]!) < 0.1
            && Math.Abs((double)found["box"]!["y"]! - (double)box["y"]!) < 0.1));
        Assert.All(objects, found => Assert.InRange((double)found!["pixels"]!["x"]! - 160 * (double)found["box"]!["x"]!, -0.5, 0.5));
    }

    [Fact]
    public async Task Threshold_and_top_decide_how_many_objects_are_answered()
    {
        var all = await ObjectsAsync("?threshold=0.01");

        Assert.True(all.Count > 1);
        Assert.Single(await ObjectsAsync("?threshold=0.01&top=1"));
        Assert.All(await ObjectsAsync("?threshold=0.5"), found => Assert.InRange(Probability(found), 0.5, 1));
        await (await PostAsync("?threshold=1.5")).ProblemAsync(HttpStatusCode.BadRequest, "invalid-threshold");
        await (await PostAsync("?explain=true")).ProblemAsync(HttpStatusCode.Conflict, "no-explanation");
    }

    [Fact]
    public async Task A_picture_is_answered_with_its_objects_drawn()
    {
        var answer = await PostAsync("/drawn?threshold=0.01");

        Assert.Equal((HttpStatusCode.OK, "image/jpeg"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        using var picture = NetVips.Image.NewFromBuffer(await answer.Content.ReadAsByteArrayAsync(Api.Cancel));
        Assert.Equal((160, 120), (picture.Width, picture.Height));
        using var two = Api.Form(null, ("a.png", Scenes.File(1)), ("b.png", Scenes.File(2)));
        await (await _client.PostAsync($"{host.Model}/predictions?drawn=true", two, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-many-files");
        using var broken = Api.Raw([1, 2, 3]);
        await (await _client.PostAsync($"{host.Model}/predictions/drawn", broken, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unreadable-image");
    }

    [Theory]
    [MemberData(nameof(ClientsTests.Clients), MemberType = typeof(ClientsTests))]
    public async Task Every_client_prints_a_line_for_each_object_and_the_name_alone_where_there_is_none(string client)
    {
        using var folder = new TemporaryFolder();
        var (found, nothing) = (folder.Below("found.png"), folder.Below("nothing.png"));
        File.WriteAllBytes(found, Scenes.File(77));
        File.WriteAllBytes(nothing, Pictures.Png(1));

        var printed = (await Terminal.RunAsync(client, host.Address, TestHost.Key, "predict", host.Model.Split('/')[^1], found, nothing))
            .With(0);

        string[] expected = [.. (await ObjectsAsync("")).Select(o => string.Create(CultureInfo.InvariantCulture,
            $"{found}\t{o!["label"]}\t{Probability(o):0.0000}\t{string.Join('\t', o["pixels"]!.AsObject().Select(side => side.Value))}"))];
        Assert.NotEmpty(expected);
        Assert.Equal([.. expected, nothing], printed.Lines);
    }

    [Fact]
    public async Task The_report_says_how_well_objects_are_found()
    {
        var report = await _client.GetJsonAsync($"{host.Model}/versions/1/report");

        Assert.StartsWith("Mean average precision ", (string?)report["sentence"]);
        var detection = report["detection"]!;
        Assert.Equal((double)report["accuracy"]!, (double)detection["map50"]!["value"]!);
        Assert.InRange((double)detection["map"]!["value"]!, 0, (double)detection["map50"]!["value"]!);
        Assert.Equal(["blue", "red"], detection["categories"]!.AsArray().Select(category => (string?)category!["name"]));
        Assert.All(detection["categories"]!.AsArray(), category => Assert.NotEmpty(category!["curve"]!.AsArray()));
        var curve = report["learningCurve"]!;
        int[] points = [.. curve["points"]!.AsArray().Select(point => (int)point!["images"]!)];
        Assert.Equal((2, points[1] / 2), (points.Length, points[0]));
        Assert.Equal([points[1], 2 * points[1]], new[] { 0, 2 }.Select(i => (int)curve["forecasts"]![i]!["images"]!));
        Assert.Matches("Twice as many images|More images like these", (string?)report["sentence"]);
        var errors = detection["errors"]!;
        Assert.True((int)errors["right"]! > 0);
        Assert.All(detection["hardest"]!.AsArray(), image => Assert.True((int)image!["missed"]! + (int)image["wrong"]! > 0));

        var page = await _client.GetAsync($"{host.Model}/versions/1/report.html", Api.Cancel);
        var html = await page.Content.ReadAsStringAsync(Api.Cancel);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("Mean average precision, overlap of 0.5", html);
        Assert.Contains("Expected mean average precision", html);
        Assert.DoesNotContain("Confusion matrix", html);
    }

    [Fact]
    public async Task A_batch_answers_with_objects_in_lines_and_in_a_table()
    {
        var batch = await (await _client.PostAsync($"{host.Model}/batch-predictions", new { images = new { } }))
            .JsonAsync(HttpStatusCode.Accepted);
        batch = await _client.EndOfBatchAsync(host.Model, batch);

        Assert.Equal(("succeeded", 0), ((string?)batch["state"], (int)batch["failed"]!));
        var lines = await _client.LinesAsync(host.Model, batch);
        Assert.Equal((int)batch["images"]!, lines.Length);
        Assert.All(lines, line => Assert.Empty(line["labels"]!.AsArray()));
        var objects = lines.Sum(line => line["objects"]!.AsArray().Count);
        Assert.True(objects > 0);
        var table = await _client.GetStringAsync(
            new Uri($"{Batches.PathOf(host.Model, batch)}/results?format=csv", UriKind.Relative), Api.Cancel);
        Assert.StartsWith("fileName,imageId,label,probability,x,y,width,height,error", table);
        Assert.Equal(1 + objects + lines.Count(line => line["objects"]!.AsArray().Count == 0),
            table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Open_Inference_answers_with_boxes_scores_and_labels()
    {
        var metadata = await _client.GetJsonAsync($"/v2/models/{host.Model.Split('/')[^1]}");
        Assert.Equal(["boxes", "scores", "labels", "image"], metadata["outputs"]!.AsArray().Select(output => (string?)output!["name"]));

        var data = new[] { Scenes.File(77), Scenes.File(78) }.Select(Convert.ToBase64String);
        var answer = await (await _client.PostAsync($"/v2/models/{host.Model.Split('/')[^1]}/infer",
            new { inputs = new[] { new { name = "image", datatype = "BYTES", shape = new[] { 2 }, data } } })).JsonAsync();

        var outputs = answer["outputs"]!.AsArray().ToDictionary(output => (string)output!["name"]!, output => output!);
        var count = (int)outputs["scores"]["shape"]![0]!;
        Assert.Equal(4 * count, outputs["boxes"]["data"]!.AsArray().Count);
        var singles = (await PredictAsync(Scenes.File(77)))["predictions"]![0]!["objects"]!.AsArray();
        Assert.Equal(singles.Select(found => (string?)found!["label"]), outputs["labels"]["data"]!.AsArray()
            .Zip(outputs["image"]["data"]!.AsArray()).Where(pair => (int)pair.Second! == 0).Select(pair => (string?)pair.First));
    }

    [Fact]
    public async Task The_exported_model_finds_what_the_service_finds()
    {
        using var folder = await UnpackAsync();
        Assert.Equal("blue\nred\n", await File.ReadAllTextAsync(folder.Below("labels.txt"), Api.Cancel));
        OnnxRuntime.EnsureLoaded();
        using var session = new InferenceSession(folder.Below("model.onnx"));
        using var run = new RunOptions();
        foreach (var number in Enumerable.Range(70, 5))
        {
            using var photo = NetVips.Image.NewFromBuffer(Scenes.File(number));
            using var image = OrtValue.CreateTensorValueFromMemory(photo.WriteToMemory<byte>(), [photo.Height, photo.Width, 3]);
            using var answer = session.Run(run, ["image"], [image], ["boxes", "scores", "labels"]);
            var (boxes, scores) = (answer[0].GetTensorDataAsSpan<float>().ToArray(), answer[1].GetTensorDataAsSpan<float>().ToArray());
            var labels = answer[2].GetTensorDataAsSpan<long>().ToArray();

            var expected = await ObjectsAsync("?threshold=0.1", number);
            Assert.NotEmpty(expected);
            foreach (var (i, found) in expected.Index())
            {
                Assert.InRange(scores[i] - Probability(found), -0.02, 0.02);
                Assert.Equal((string?)found!["label"], labels[i] == 0 ? "blue" : "red");
                string[] sides = ["x", "y", "width", "height"];
                Assert.All(sides.Index(), side => Assert.InRange((boxes[4 * i + side.Index] - (double)found["box"]![side.Item]!)
                    * (side.Index % 2 == 0 ? photo.Width : photo.Height), -1, 1));
            }
        }
    }

    [Fact]
    public async Task The_JavaScript_of_the_README_finds_and_draws()
    {
        Needs.Programs("node", "npm");
        using var folder = await UnpackAsync();
        var packages = await NpmFolder.InstalledAsync(Repository.PathOf("tests", "Headstart.Tests", "Versions", "NodePackages"),
            "node-packages");
        var program = Path.Combine(packages, "find.mjs"); // beside them
        await File.WriteAllTextAsync(program, await UnpackedExport.ProgramAsync(folder, "js"), Api.Cancel);
        await File.WriteAllBytesAsync(folder.Below("photo.png"), Scenes.File(77), Api.Cancel);

        var lines = (await UserProgram.RunAsync(folder.Path, "node", program, "photo.png")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        var expected = await ObjectsAsync("");
        Assert.Equal(expected.Select(found => (string?)found!["label"]), lines.Select(line => line.Split(' ')[0]));
        Assert.True(File.Exists(folder.Below("found.png")));
    }

    [Fact]
    public async Task The_Python_of_the_README_compiles()
    {
        Needs.Programs("python3");
        using var folder = await UnpackAsync();
        var program = await UnpackedExport.ProgramAsync(folder, "python");
        Assert.Contains("alpha_composite(Image.new(\"RGBA\", photo.size, \"white\"), photo)", program); // convert("RGB") makes it black
        await File.WriteAllTextAsync(folder.Below("find.py"), program, Api.Cancel);
        await UserProgram.RunAsync(folder.Path, "python3", "-m", "py_compile", "find.py");
    }

    [Fact]
    public async Task What_takes_labels_says_that_a_detection_model_has_none()
    {
        var image = (await _client.GetJsonAsync($"{host.Model}/images?limit=1"))["items"]![0]!;

        await (await _client.GetAsync($"{host.Model}/images/{image["id"]}/heat-map", Api.Cancel))
            .ProblemAsync(HttpStatusCode.Conflict, "no-heat-map");
    }

    private Task<TemporaryFolder> UnpackAsync() => UnpackedExport.OfAsync(_client, $"{host.Model}/versions/1/export");

    private async Task<List<JsonNode?>> ObjectsAsync(string query, int scene = 77) =>
        [.. (await (await PostAsync(query, scene)).JsonAsync())["predictions"]![0]!["objects"]!.AsArray()];

    private async Task<HttpResponseMessage> PostAsync(string query, int scene = 77)
    {
        using var image = Api.Raw(Scenes.File(scene), "image/png");
        return await _client.PostAsync($"{host.Model}/predictions{query}", image, Api.Cancel);
    }

    private async Task<JsonNode> PredictAsync(byte[] file)
    {
        using var form = Api.Form(null, ("a.png", file));
        return await (await _client.PostAsync($"{host.Model}/predictions", form, Api.Cancel)).JsonAsync();
    }

    private static double Probability(JsonNode? found) => (double)found!["probability"]!;
}

/// <summary>A host whose detectors need not find much.</summary>
public sealed class HastyHost(TestPostgres postgres) : TestHost(postgres)
{
    protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Training:DetectionEffort", "0.03")];
}

/// <summary>Runs of detection models that end otherwise.</summary>
public sealed class DetectionRunTests(HastyHost host) : IClassFixture<HastyHost>
{
    private HttpClient Client => host.Client;

    [Fact]
    public async Task Too_few_images_with_boxes_are_refused_with_a_sentence_and_one_category_is_enough()
    {
        var model = await Client.NewDetectorAsync("red", "blue");
        await Client.AddScenesAsync(model, Enumerable.Range(1, 4).Select(number => Scenes.Of(number)));
        using var later = Api.Form(null, ("later.png", Pictures.Png(1)));
        await (await Client.PostAsync($"{model}/images", later, Api.Cancel)).JsonAsync();

        var problem = await (await Client.PostAsync($"{model}/training-runs", new { }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-few-images");
        Assert.Contains("4 have any. Nobody has said yet what 1 image shows", (string?)problem["detail"]);
        Assert.Equal("collecting", (string?)(await Client.GetJsonAsync(model))["state"]);

        await Client.AddScenesAsync(model, [Scenes.Of(5)]);
        Assert.Equal("ready", (string?)(await Client.GetJsonAsync(model))["state"]);
        await (await Client.PostAsync($"{model}/training-runs", new { backbone = "headstart-small+headstart-small" }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unknown-backbone");
    }

    [Fact]
    public async Task A_version_predicts_after_a_restart_and_the_next_run_compares_with_it()
    {
        Needs.Time();
        var model = await Client.ScenesAsync(6);
        await Client.AddScenesAsync(model, Enumerable.Range(200, 20).Select(number => Scenes.Of(number, split: "test")));
        var first = await Client.TrainAsync(model, Api.BuiltIn);
        Assert.True("succeeded" == (string?)first["state"], first.ToJsonString());
        await host.RestartAsync();

        using (var form = Api.Form(null, ("a.png", Scenes.File(77))))
        {
            var answer = await (await Client.PostAsync($"{model}/predictions?threshold=0", form, Api.Cancel)).JsonAsync();
            Assert.NotEmpty(answer["predictions"]![0]!["objects"]!.AsArray());
        }

        var second = await Client.TrainAsync(model, Api.BuiltIn);
        Assert.Equal(("succeeded", 2), ((string?)second["state"], (int?)second["version"]));
        var report = await Client.GetJsonAsync($"{model}/versions/2/report");
        var comparison = report["comparison"]!;
        Assert.Equal((1, 20), ((int)comparison["version"]!, (int)comparison["images"]!));
        Assert.Contains("of mean average precision", (string?)comparison["sentence"]);
        Assert.Equal("heldOut", (string?)report["accuracyFrom"]);
    }

    [Fact]
    public async Task Twins_make_one_version()
    {
        Needs.Time();
        var model = await Client.ScenesAsync(6, firstNumber: 600);
        var run = await Client.StartRunAsync(model);
        var id = (Guid)run["id"]!;
        var twins = new List<Task>();
        for (var i = 0; i < 3; i++)
        {
            var silent = await host.QueryAsync(db => db.Database.ExecuteSqlAsync(
                $"UPDATE training_runs SET lease_until = 'epoch' WHERE id = {id} AND finished_at IS NULL", Api.Cancel));
            Assert.Equal(1, silent);
            twins.Add(ActivatorUtilities.CreateInstance<JobRunner>(host.Services).RunAsync("training", id, Api.Cancel));
        }

        await Task.WhenAll(twins);

        var ended = await Client.EndOfRunAsync(model, run);
        Assert.True(("succeeded", 1) == ((string?)ended["state"], (int?)ended["version"]), ended.ToJsonString());
        Assert.Single((await Client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Boxes_are_confirmed_by_whoever_looks_again_and_not_by_whoever_draws_them()
    {
        var model = await Client.NewDetectorAsync("red");
        using var form = Api.Form(null, ("later.png", Pictures.Png(1)));
        var image = (await (await Client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["accepted"]![0]!;
        async Task<bool> DrawAsync() => (bool)(await (await Client.SendAsync(HttpMethod.Put, $"{model}/images/{image["id"]}/boxes",
            new { boxes = new[] { new { category = "red", x = 0.1, y = 0.1, width = 0.5, height = 0.5 } } })).JsonAsync())["confirmed"]!;

        Assert.False(await DrawAsync());
        Assert.True(await DrawAsync());
    }

    [Fact]
    public async Task A_cancelled_run_ends_without_a_version()
    {
        var model = await Client.ScenesAsync(8, firstNumber: 500);
        var run = await Client.StartRunAsync(model);
        await (await Client.PostAsync($"{model}/training-runs/{run["id"]}/cancel", new { })).JsonAsync(HttpStatusCode.Accepted);

        Assert.Equal("cancelled", (string?)(await Client.EndOfRunAsync(model, run))["state"]);
        Assert.Empty((await Client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray());
    }
}
