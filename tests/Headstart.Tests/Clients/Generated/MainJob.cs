// The main job with a client that NSwag makes of the OpenAPI document.
public static class MainJob
{
    public static async Task<string> RunAsync(Uri address, string key, string photographs)
    {
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        var client = new HeadstartApi(http);

        var model = (await client.CreateModelAsync(new() { Name = "NSwag", Categories = ["cats", "dogs"] })).Id;
        foreach (var category in new[] { "cats", "dogs" })
        {
            await client.AddImagesAsync(model, [category], file: [.. Files(category)]);
        }

        var run = await client.StartTrainingRunAsync(model, body: new() { Backbone = "headstart-small" });
        while (run.State is JobState.Queued or JobState.Running)
        {
            await Task.Delay(200);
            run = await client.GetTrainingRunAsync(model, run.Id);
        }

        var answer = await client.PredictAsync(model, file: [Files("cats").First()]);
        var image = (await client.ListImagesAsync(model, limit: 1)).Items.First();
        using var bytes = await client.GetImageContentAsync(model, image.Id);
        using var export = await client.ExportVersionAsync(model, 1);
        var label = answer.Predictions.First().Labels.First().Label1;
        return $"{run.State} {run.Version}, {label}, {bytes.Stream.ReadByte()}, {export.Stream.ReadByte()}";

        IEnumerable<FileParameter> Files(string category) => Directory.GetFiles(Path.Combine(photographs, category))
            .Select(file => new FileParameter(File.OpenRead(file), Path.GetFileName(file)));
    }
}
