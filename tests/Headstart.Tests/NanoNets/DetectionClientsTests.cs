using System.Text.Json.Nodes;
using Headstart.Tests.Uploads;
using Headstart.Tests.Uploads.Formats;
using static Headstart.Tests.NanoNets.NanoSteps;

namespace Headstart.Tests.NanoNets;

/// <summary>The calls of NanoNets' samples for object detection, in their order and byte for byte as they send them, up to
/// training.</summary>
public sealed class DetectionClientsTests(NanoHost host) : IClassFixture<NanoHost>
{
    private const string TieFighter = """{"name":"TieFighter","bndbox":{"xmin":8,"ymin":6,"xmax":16,"ymax":12}}""";
    private const string Falcon = """{"name":"MillenniumFalcon","bndbox":{"xmin":0,"ymin":0,"xmax":32,"ymax":12}}""";
    private const string InPixels = "TieFighter 0.25 0.25 0.25 0.25";

    private readonly PythonRequests _python = new(host.Address, TestHost.Key);

    /// <summary>NanoNets/object-detection-sample-python: create-model.py names the categories otherwise than its annotations do.</summary>
    [Fact]
    public async Task The_python_sample_creates_uploads_asks_to_train_and_looks()
    {
        var created = await host.JsonAsync(_python.Post($"{Detection}/Model/", """{"categories" : ["Tie_Fighter", "Millennium_Falcon"]}""", "application/json"));
        var id = (string)created["model_id"]!;
        Assert.Equal(("localization", 0), ((string?)created["model_type"], (int)created["state"]!));

        // upload-training.py: the file, the annotation and the id in parts without a content type
        var model = await host.JsonAsync(_python.Files($"{Detection}/Model/{id}/UploadFile/", Picture(1), FormPart.Unnamed("data",
            $"[{{\"filename\":\"1.jpg\", \"object\": [{TieFighter},{Falcon},{TieFighter.Replace('8', '9')}]}}]"), FormPart.Unnamed("modelId", id)));
        Assert.Equal(("1 1", "Success"), (model.Counts(), (string?)model["message"]));
        Assert.Equal("1.jpg: Tie_Fighter 0.25 0.25 0.25 0.25, Millennium_Falcon 0 0 1 0.5, Tie_Fighter 0.2813 0.25 0.2188 0.25",
            Assert.Single(await RowsAsync(id)));

        // train-model.py and model-state.py
        var trained = await host.SendAsync(_python.Post($"{Detection}/Model/{id}/Train/?modelId={id}"));
        Assert.True(trained.Status is 200 or 409, trained.Body);
        Assert.InRange((int)(await host.JsonAsync(_python.Get($"{Detection}/Model/{id}")))["state"]!, 1, 4);
        Assert.Contains(id, (await host.JsonAsync(_python.Get($"{Detection}/Models/"))).AsArray().Select(one => (string?)one!["model_id"]));
    }

    /// <summary>NanoNets/object-detection-sample-nodejs sends an image once for each of its boxes.</summary>
    [Fact]
    public async Task The_node_sample_sends_an_image_for_each_of_its_boxes()
    {
        var client = new NodeRequest(host.Address, TestHost.Key);
        var id = (string)(await host.JsonAsync(client.Json($"{Detection}/Model/", """{"categories":["TieFighter","MillenniumFalcon"]}""")))["model_id"]!;
        foreach (var box in new[] { TieFighter, Falcon, TieFighter })
        {
            await host.JsonAsync(client.Multipart($"{Detection}/Model/{id}/UploadFile/", FormPart.Field("modelId", id),
                FormPart.Field("data", $"[{{\"filename\":\"2.jpg\", \"object\": [{box}]}}]"), Picture(2) with { ContentType = "image/jpeg" }));
        }

        Assert.Equal($"2.jpg: {InPixels}, MillenniumFalcon 0 0 1 0.5", Assert.Single(await RowsAsync(id)));
        var trained = await host.SendAsync(client.Empty($"{Detection}/Model/{id}/Train/"));
        Assert.True(trained.Status is 200 or 409, trained.Body);
    }

    /// <summary>NanoNets/object-detection-sample-golang calls the model's id <c>id</c>.</summary>
    [Fact]
    public async Task The_go_sample_names_the_model_id()
    {
        var client = new GoHttp(host.Address, TestHost.Key);
        var id = (string)(await host.JsonAsync(client.Json($"{Detection}/Model/", """{"categories" : ["TieFighter", "MillenniumFalcon"]}""")))["model_id"]!;
        var model = await host.JsonAsync(client.Multipart($"{Detection}/Model/{id}/UploadFile/",
            Picture(3) with { ContentType = "application/octet-stream" },
            FormPart.Field("data", $"[{{\"filename\":\"3.jpg\", \"object\": [{TieFighter}]}}]"), FormPart.Field("id", id)));
        Assert.Equal("1 0", model.Counts());
        Assert.Equal((int)model["state"]!, (int)(await host.JsonAsync(client.Get($"{Detection}/Model/{id}")))["state"]!);
    }

    /// <summary>NanoNets/nanonets-python-wrapper: several files a call, and the data behind them.</summary>
    [Fact]
    public async Task The_wrapper_uploads_files_in_batches_and_reads_annotations()
    {
        var id = (string)(await host.JsonAsync(_python.Post($"{Detection}/Model/", """{"categories": ["TieFighter", "MillenniumFalcon"]}""",
            "application/json")))["model_id"]!;
        var model = await host.JsonAsync(_python.Files($"{Detection}/Model/{id}/UploadFile/",
            Picture(4) with { ContentType = "image/jpeg" },
            Picture(5) with { ContentType = "image/jpeg" }, FormPart.Unnamed("data",
            $"[{{\"filename\": \"4.jpg\", \"object\": [{TieFighter}]}}, {{\"filename\": \"5.jpg\", \"object\": []}}]")));
        Assert.Equal(["4.jpg", "5.jpg"], model["result"]!.AsArray().Select(file => (string?)file!["file"]));
        Assert.Equal([$"4.jpg: {InPixels}", "5.jpg: nothing"], await RowsAsync(id));

        var annotations = await host.JsonAsync(_python.Get($"{Detection}/Model/{id}/Annotations"));
        Assert.Equal((2, "1 0"), (annotations["Data"]!.AsArray().Count, annotations["Meta"]!.Counts()));
        Assert.Equal(TieFighter, annotations["Data"]![0]!["object"]![0]!.ToJsonString());
    }

    [Fact]
    public async Task Images_by_url_come_with_their_boxes_or_wait_for_them()
    {
        var id = (string)(await host.JsonAsync(_python.Post($"{Detection}/Model/", """{"categories": ["cat"]}""", "application/json")))["model_id"]!;
        var (cat, dog) = (Pets("cats", 0, 1)[0], Pets("dogs", 0, 1)[0]);
        using var web = Photographs(cat, dog);
        var data = Uri.EscapeDataString($"[{{\"filename\":\"{web.Address(cat)}\",\"object\":[{{\"name\":\"cat\",\"bndbox\":{{\"xmin\":0,\"ymin\":0,\"xmax\":9,\"ymax\":9}}}}]}}]");
        await host.JsonAsync(_python.Fields($"{Detection}/Model/{id}/UploadUrls/", $"urls={web.Encoded(cat)}&data={data}"));
        await host.JsonAsync(_python.Fields($"{Detection}/Model/{id}/UploadUrls/", $"urls={web.Encoded(dog)}"));

        var rows = await RowsAsync(id);
        Assert.Single(rows, row => row.Contains(": cat 0 0 ", StringComparison.Ordinal));
        Assert.Single(rows, row => row.EndsWith(": ?", StringComparison.Ordinal));

        // The same by a table of our own API, with a row for each box.
        var model = await host.Client.NewDetectorAsync();
        var table = $"url,category,xmin,ymin,xmax,ymax\n{web.Address(cat)},cat,0,0,9,9\n{web.Address(cat)},cat,9,9,18,18\n";
        await (await host.Client.SendImagesAsync(model, UploadCalls.Body("text/csv", table), "?async=false")).JsonAsync();
        Assert.Equal(2, Assert.Single(await host.Client.RowsAsync(model)).Split(", ").Length);
    }

    [Fact]
    public async Task What_no_category_or_no_list_of_objects_is_gets_an_error_of_the_same_shape()
    {
        var id = (string)(await host.JsonAsync(_python.Post($"{Detection}/Model/", """{"categories": ["cat"]}""", "application/json")))["model_id"]!;
        foreach (var (data, reason) in new[]
        {
            ("[{\"filename\":\"1.jpg\",\"object\":[{\"name\":\"dog\",\"bndbox\":{\"xmin\":1,\"ymin\":1,\"xmax\":2,\"ymax\":2}}]}]", "Category is not valid for the model"),
            ("[{\"filename\":\"1.jpg\",\"object\":5}]", "Data is not valid"), ("nonsense", "Data is not valid"),
            ("[{\"filename\":\"other.jpg\",\"object\":[]}]", "Annotation missing"),
            ("[{\"filename\":\"1.jpg\",\"object\":[{\"name\":\"cat\",\"bndbox\":{\"xmin\":5,\"ymin\":1,\"xmax\":2,\"ymax\":2}}]}]", "Invalid boxes"),
        })
        {
            var error = await host.JsonAsync(_python.Files($"{Detection}/Model/{id}/UploadFile/", Picture(1),
                FormPart.Unnamed("data", data)), 400);
            Assert.Equal(reason, (string?)error["errors"]![0]!["reason"]);
        }

        Assert.Empty(await RowsAsync(id));
    }

    private Task<List<string>> RowsAsync(string id) => host.Client.RowsAsync($"/api/v1/models/{id}");

    private static FormPart Picture(int number) => new("file", $"{number}.jpg", null, Pictures.Jpeg(number));
}
