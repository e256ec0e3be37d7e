using System.Text.Json;
using static Headstart.Tests.NanoNets.NanoSteps;

namespace Headstart.Tests.NanoNets;

/// <summary>The calls of NanoNets' public clients, in their order and byte for byte as they send them, against a real host.</summary>
public sealed class PublicClientsTests(NanoHost host) : IClassFixture<NanoHost>
{
    /// <summary>NanoNets/nanonets-python-client, made by swagger-codegen; pointed elsewhere by <c>Configuration().host</c>.</summary>
    [Fact]
    public async Task The_generated_python_client_creates_uploads_trains_and_predicts()
    {
        var client = new SwaggerCodegen(host.Address, TestHost.Key);
        var (cats, dogs) = (Pets("cats", 0, 7), Pets("dogs", 0, 7));
        using var web = Photographs(cats[6], dogs[6]);

        // ImageModelApi.image_categorization_model_post(categories=['cats', 'dogs']): the list as Python prints it.
        var id = (string)(await host.JsonAsync(client.Post($"{Categorization}/Model/",
            "categories=%5B%27cats%27%2C+%27dogs%27%5D")))["model_id"]!;
        // image_categorization_model_get(id), image_categorization_models_get()
        var model = await host.JsonAsync(client.Get($"{Categorization}/Model?id={id}"));
        Assert.Equal(("classification", 0), ((string?)model["model_type"], (int)model["state"]!));
        Assert.Equal(["cats", "dogs"], model["categories"]!.AsArray().Select(c => (string?)c!["name"]));
        Assert.Contains(id, (await host.JsonAsync(client.Get($"{Categorization}/Models/"))).AsArray().Select(m => (string?)m!["model_id"]));

        // ImageUploadApi.image_categorization_upload_file_post(model_id, category, file): fields first, one file a call.
        foreach (var (category, file) in cats.Take(6).Select(f => ("cats", f)).Concat(dogs.Take(6).Select(f => ("dogs", f))))
        {
            model = await host.JsonAsync(client.Multipart($"{Categorization}/UploadFile/",
                FormPart.Field("modelId", id), FormPart.Field("category", category), FormPart.File("file", file, "image/jpeg")));
        }

        Assert.Equal("6 6", model.Counts());
        // image_categorization_upload_urls_post(model_id, category, urls)
        await host.JsonAsync(client.Post($"{Categorization}/UploadUrls/", $"modelId={id}&category=cats&urls={web.Encoded(cats[6])}"));
        // ... with a Python list for urls
        model = await host.JsonAsync(client.Post($"{Categorization}/UploadUrls/",
            $"modelId={id}&category=dogs&urls=%5B%27{web.Encoded(dogs[6])}%27%5D"));
        Assert.Equal(("7 7", 2), (model.Counts(), (int)model["state"]!));

        // ImageTrainApi.image_categorization_train_post(model_id)
        Assert.InRange((int)(await host.JsonAsync(client.Post($"{Categorization}/Train/", $"modelId={id}")))["state"]!, 3, 4);
        await host.ReadyAsync(client.Get($"{Categorization}/Model?id={id}"));

        // ImagePredictApi.image_categorization_label_file_post(model_id, file), image_categorization_label_urls_post2(model_id, urls)
        var answer = await host.JsonAsync(client.Multipart($"{Categorization}/LabelFile/", FormPart.Field("modelId", id),
            FormPart.File("file", cats[6], "image/jpeg")));
        Assert.Equal(("Success", "cats"), ((string?)answer["message"], answer.Labels()[0]));
        answer = await host.JsonAsync(client.Multipart($"{Categorization}/LabelUrls/", FormPart.Field("modelId", id),
            FormPart.Field("urls", web.Address(dogs[6]))));
        Assert.Equal(("dogs", web.Address(dogs[6])), (answer.Labels()[0], (string?)answer["result"]![0]!["file"]));

        // MultiLabelClassificationModelApi.multi_label_image_classification_post(body, content_type)
        model = await host.JsonAsync(client.Post($"{MultiLabel}/Model/", """{"categories": ["sea", "trees"]}""", "application/json"));
        Assert.Equal("multilabelclassification", (string?)model["model_type"]);
        // MultiLabelClassificationUploadApi.multi_label_classification_upload_files_post(data, files, model_id), …_upload_urls_post
        var path = $"{MultiLabel}/Model/{model["model_id"]}";
        model = await host.JsonAsync(client.Multipart($"{path}/UploadFiles/",
            FormPart.Field("data", """[{"filename": "a.jpg", "categories": ["sea"]}]"""), FormPart.File("files", cats[0], "image/jpeg") with { FileName = "a.jpg" }));
        Assert.Equal("1 0", model.Counts());
        model = await host.JsonAsync(client.Multipart($"{path}/UploadUrls/",
            FormPart.Field("data", $$"""[{"filename": "{{web.Address(dogs[6])}}", "categories": ["sea", "trees"]}]"""), FormPart.Field("urls", web.Address(dogs[6]))));
        Assert.Equal("2 1", model.Counts());
    }

    /// <summary>NanoNets/multi-label-classification-sample-python: five scripts with the address in them, sent here by
    /// <c>http_proxy</c>.</summary>
    [Fact]
    public async Task The_multi_label_sample_scripts_run_through_http_proxy()
    {
        var client = new PythonRequests(host.Address, TestHost.Key, original: "app.nanonets.com");
        var folder = SharedData.Folder("datasets/scenes_multilabel");
        var scenes = File.ReadLines(Path.Combine(folder, "labels.csv")).Skip(1).Where((_, i) => i % 4 == 0).Select(line => line.Split(','))
            .ToDictionary(cells => Path.Combine(folder, "images", cells[0]), cells => cells[1].Split('|'));

        // create_model.py: JSON without a content type
        var id = (string)(await host.JsonAsync(client.Post($"{MultiLabel}/Model/", """{"categories": ["desert", "mountains", "sea", "sunset", "trees"]}""")))["model_id"]!;

        // upload_training.py: 50 files a call, then what they show
        foreach (var batch in scenes.Chunk(50))
        {
            var data = JsonSerializer.Serialize(batch.Select(scene =>
                new { filename = Path.GetFileName(scene.Key), categories = scene.Value }));
            var sent = client.Files($"{MultiLabel}/Model/{id}/UploadFiles/",
                batch.Select(scene => FormPart.File("files", scene.Key, "image/jpeg"))
                    .Append(FormPart.Unnamed("data", data.Replace("\",\"", "\", \"", StringComparison.Ordinal))));
            Assert.All((await host.JsonAsync(sent))["result"]!.AsArray(), file => Assert.Equal("Success", (string?)file!["message"]));
        }

        // train_model.py: an empty body; model_state.py
        await host.JsonAsync(client.Post($"{MultiLabel}/Model/{id}/Train/"));
        var model = await host.ReadyAsync(client.Get($"{MultiLabel}/Model/{id}"));
        Assert.Equal(scenes.Values.Sum(labels => labels.Length), model.Counts().Split(' ').Sum(int.Parse));

        // prediction.py
        var answer = await host.JsonAsync(client.Files($"{MultiLabel}/Model/{id}/LabelFiles/", FormPart.File("files", scenes.First().Key)));
        Assert.Equal(["desert", "mountains", "sea", "sunset", "trees"], answer.Labels().Order());
        Assert.Equal("Success", (string?)answer["message"]);
    }

    /// <summary>NanoNets/nanonets-python-wrapper, <c>ImageClassification</c>; pointed elsewhere by <c>model.host</c>.</summary>
    [Fact]
    public async Task The_python_wrapper_creates_uploads_trains_and_predicts_in_four_ways()
    {
        var client = new PythonRequests(host.Address, TestHost.Key);
        var (cats, dogs) = (Pets("cats", 0, 23), Pets("dogs", 0, 4));
        using var web = Photographs([.. dogs, cats[22]]);

        // ImageClassification(api_key, categories=['cats', 'two words'])
        var id = (string)(await host.JsonAsync(client.Fields($"{Categorization}/Model/", "categories=cats&categories=two+words",
            "Accept")))["model_id"]!;

        // upload_image_file(img_path, label): the file first, then fields with an empty file name
        await host.JsonAsync(client.Files($"{Categorization}/Model/{id}/UploadFile/",
            FormPart.File("file", cats[0]), FormPart.Unnamed("modelId", id), FormPart.Unnamed("category", "cats")));
        // upload_image_files(training_dict): 20 files a call, model and category in the query
        foreach (var batch in cats[1..22].Chunk(20))
        {
            await host.JsonAsync(client.Files($"{Categorization}/UploadFile/?modelId={id}&category=cats",
                batch.Select(f => FormPart.File("file", f, "image/jpeg"))));
        }

        var model = await host.JsonAsync(client.Files($"{Categorization}/UploadFile/?modelId={id}&category=two%20words",
            FormPart.File("file", dogs[0], "image/jpeg")));
        Assert.Equal(("22 1", 2), (model.Counts(), (int)model["state"]!)); // one image of the other category is enough
        // upload_image_urls(training_dict)
        model = await host.JsonAsync(client.Fields($"{Categorization}/UploadUrls/",
            $"{string.Join('&', dogs.Skip(1).Select(dog => "urls=" + web.Encoded(dog)))}&modelId={id}&category=two+words"));
        Assert.Equal(("22 4", 2), (model.Counts(), (int)model["state"]!));

        // train(): the model in the query, an empty body; a second time while it trains
        await host.JsonAsync(client.Post($"{Categorization}/Train/?modelId={id}"));
        await host.JsonAsync(client.Post($"{Categorization}/Train/?modelId={id}"));
        // _check_model_state()
        await host.ReadyAsync(client.Get($"{Categorization}/Model/{id}"));
        Assert.Single((await host.Client.GetJsonAsync($"/api/v1/models/{id}/training-runs"))["items"]!.AsArray());

        // predict_for_file, predict_for_files, predict_for_url, predict_for_urls: each makes a dictionary of file and prediction
        var answer = await host.JsonAsync(client.Files($"{Categorization}/LabelFile/?modelId={id}", FormPart.File("file", cats[22])));
        Assert.Equal(("cats", Path.GetFileName(cats[22])), (answer.Labels()[0], (string?)answer["result"]![0]!["file"]));
        answer = await host.JsonAsync(client.Files($"{Categorization}/LabelFile/?modelId={id}", cats.Skip(15).Concat(dogs)
            .Select(f => FormPart.File("file", f, "image/jpeg"))));
        Assert.Equal(cats.Skip(15).Concat(dogs).Select(Path.GetFileName), answer["result"]!.AsArray().Select(r => (string?)r!["file"]));
        answer = await host.JsonAsync(client.Fields($"{Categorization}/LabelUrls/", $"modelId={id}&urls={web.Encoded(dogs[0])}"));
        Assert.Equal("two words", answer.Labels()[0]);
        answer = await host.JsonAsync(client.Fields($"{Categorization}/LabelUrls/",
            $"modelId={id}&urls={web.Encoded(dogs[1])}&urls={web.Encoded(cats[22])}"));
        Assert.Equal([web.Address(dogs[1]), web.Address(cats[22])], answer["result"]!.AsArray().Select(r => (string?)r!["file"]));

        // train() again, with more images: another run, and the model is at 3 or 4 until it has ended
        await host.JsonAsync(client.Files($"{Categorization}/UploadFile/?modelId={id}&category=cats",
            FormPart.File("file", cats[22], "image/jpeg")));
        model = await host.JsonAsync(client.Post($"{Categorization}/Train/?modelId={id}"));
        Assert.Equal(("23 4", true), (model.Counts(), (int)model["state"]! is 3 or 4));
        Assert.Equal(2, (await host.Client.GetJsonAsync($"/api/v1/models/{id}/training-runs"))["items"]!.AsArray().Count);

        // MultilabelClassification.train by URLs, and its way of predicting a file
        id = (string)(await host.JsonAsync(client.Post($"{MultiLabel}/Model/", """{"categories": ["a", "b"]}""", "application/json")))["model_id"]!;
        model = await host.JsonAsync(client.Fields($"{MultiLabel}/UploadUrls/",
            $"urls={web.Encoded(dogs[0])}&modelId={id}&categories=a&categories=b"));
        Assert.Equal("1 1", model.Counts());
        // upload_image_urls({dog: ["a", "b"], cat: []}): flattened, it does not say which category is of which image.
        var flat = await host.JsonAsync(client.Fields($"{MultiLabel}/UploadUrls/",
            $"urls={web.Encoded(dogs[1])}&urls={web.Encoded(cats[0])}&modelId={id}&categories=a&categories=b"), 400);
        Assert.Contains("field named data", (string?)flat["errors"]![0]!["message"]);
        var refused = await host.JsonAsync(client.Files($"{MultiLabel}/Model/{id}/LabelFiles/", FormPart.File("files", cats[0]),
            FormPart.Unnamed("modelId", id)), 409);
        Assert.Equal("Model is not ready", (string?)refused["errors"]![0]!["reason"]);
    }

    /// <summary>npm <c>@nanonets/image-classification</c> (NanoNets/ic-js-sdk): predicts with a model that is there.</summary>
    [Fact]
    public async Task The_npm_package_asks_for_a_model_and_predicts_by_urls_and_by_file()
    {
        var client = new NodeFetch(host.Address, TestHost.Key);
        var model = await host.Client.PetsAsync(8);
        Assert.Equal("succeeded", (string?)(await host.Client.TrainAsync(model))["state"]);
        var id = model[^36..];
        var (cat, dog) = (Pets("cats", 20, 1)[0], Pets("dogs", 20, 1)[0]);
        using var web = Photographs(cat, dog);

        // getModelDetails(), predictUsingUrls([…]), predictUsingFile(path): a stream in chunks
        Assert.Equal(5, (int)(await host.JsonAsync(client.Get($"{Categorization}/Model/?modelId={id}")))["state"]!);
        var answer = await host.JsonAsync(client.Fields($"{Categorization}/LabelUrls",
            $"urls={web.Encoded(cat)}&urls={web.Encoded(dog)}&modelId={id}"));
        Assert.Equal(("cats", "dogs"), (answer.Labels()[0], answer.Labels(1)[0]));
        answer = await host.JsonAsync(client.Streamed($"{Categorization}/LabelFile", FormPart.File("file", dog, "image/jpeg"),
            FormPart.Field("modelId", id)));
        Assert.Equal(("dogs", Path.GetFileName(dog)), (answer.Labels()[0], (string?)answer["result"]![0]!["file"]));
    }
}
