using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Fetching;
using Headstart.Tests.Hosting;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Predictions;

[Collection<PredictionsHost>]
public sealed class PredictionsTests(TrainedHost host)
{
    private readonly HttpClient _client = host.Client;

    private string Predictions => $"{host.Model}/predictions";

    [Fact]
    public async Task Before_there_is_a_version_the_answer_says_what_to_do()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var problem = await (await _client.PostAsync($"{model}/predictions", Api.Raw(Pictures.Jpeg(1)), Api.Cancel))
            .ProblemAsync(HttpStatusCode.Conflict, "no-published-version");
        Assert.Contains("training run", (string?)problem["detail"]);
    }

    [Fact]
    public async Task A_form_with_several_files_is_answered_file_by_file_in_their_order()
    {
        var files = Pets.Cats.Take(2).Concat(Pets.Dogs.Take(2)).ToArray();

        var answer = await _client.PredictAsync(host.Model, files);

        Assert.Equal((host.Model[^36..], 1), ((string?)answer["modelId"], (int)answer["version"]!));
        var predictions = answer["predictions"]!.AsArray();
        Assert.Equal(files.Select(Path.GetFileName), predictions.Select(p => (string?)p!["fileName"]));
        Assert.Equal(["cats", "cats", "dogs", "dogs"], predictions.Select(p => (string?)p!["labels"]![0]!["label"]));
        Assert.All(predictions, IsSound);
    }

    [Theory]
    [InlineData("image/jpeg")]
    [InlineData("image/png")] // what is declared does not matter, the bytes do
    [InlineData("IMAGE/JPEG; q=1")]
    [InlineData("application/octet-stream")]
    public async Task One_image_may_be_the_whole_body(string contentType)
    {
        using var body = Form.Of(Pets.Cat, contentType);
        var answer = await (await _client.PostAsync(Predictions, body, Api.Cancel)).JsonAsync();
        var prediction = answer["predictions"]!.AsArray().Single()!;
        Assert.Equal((null, "cats"), ((string?)prediction["fileName"], (string?)prediction["labels"]![0]!["label"]));
        IsSound(prediction);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data")]
    [InlineData("video/mp4")]
    [InlineData("")]
    public async Task Another_media_type_is_refused(string contentType)
    {
        using var body = Form.Of("{}"u8.ToArray(), contentType);
        await (await _client.PostAsync(Predictions, body, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Fact]
    public async Task Top_keeps_the_most_probable_labels()
    {
        Assert.Equal(1, await LabelsAsync("?top=1"));
        Assert.Equal(2, await LabelsAsync("?top=2"));
        Assert.Equal(2, await LabelsAsync("?top=2147483647"));
        foreach (var top in new[] { "0", "-1" })
        {
            await (await PostAsync($"?top={top}")).ProblemAsync(HttpStatusCode.BadRequest, "invalid-top");
        }

        await (await PostAsync("?top=all")).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }

    [Fact]
    public async Task A_version_is_used_by_its_number()
    {
        Assert.Equal(1, (int)(await (await PostAsync("?version=1")).JsonAsync())["version"]!);
        foreach (var version in new[] { "2", "0", "-1", "2147483647" })
        {
            await (await PostAsync($"?version={version}")).ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
        }

        await (await PostAsync("?version=latest")).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_an_entry_with_an_error_and_the_others_are_answered()
    {
        using var form = new Form().File("good.jpg", Pets.Cat).File("text.jpg", "no image"u8.ToArray()).File("empty.jpg", [])
            .File("bomb.png", Pictures.PngClaiming(50_000, 50_000)).File("large.jpg", new byte[(50 << 20) + 1])
            .Part("form-data; name=\"photo\"; filename=\"other.jpg\"", Pets.Cat).File("good again.jpg", Pets.Cat).Content();

        var predictions = (await (await _client.PostAsync(Predictions, form, Api.Cancel)).JsonAsync())["predictions"]!.AsArray();

        Assert.Equal(7, predictions.Count);
        Assert.Equal(["good.jpg", "good again.jpg"], predictions.Where(p => p!["error"] is null).Select(p => (string?)p!["fileName"]));
        Assert.All(predictions.Where(p => p!["error"] is not null), p =>
        {
            Assert.EndsWith(".", (string?)p!["error"]);
            Assert.Empty(p["labels"]!.AsArray());
        });
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_alone_is_422()
    {
        var problem = await (await _client.PostAsync(Predictions, Api.Raw("no image"u8.ToArray()), Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unreadable-image");
        Assert.Equal((string?)problem["detail"], (string?)problem["predictions"]![0]!["error"]);
        await (await _client.PostAsync(Predictions, Api.Raw([]), Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unreadable-image");
    }

    [Fact]
    public async Task A_form_without_files_is_refused()
    {
        using var form = new Form().Field("category", "cats").Content();
        await (await _client.PostAsync(Predictions, form, Api.Cancel)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-files");
    }

    [Theory]
    [InlineData("image/jpeg")]
    [InlineData("application/json")]
    public async Task A_raw_body_larger_than_a_file_may_be_is_refused(string contentType)
    {
        using var content = new Blanks(60 << 20) { Headers = { ContentType = new(contentType) } };
        using var request = new HttpRequestMessage(HttpMethod.Post, Predictions) { Content = content, Headers = { ExpectContinue = true } };
        await (await _client.SendAsync(request, Api.Cancel)).ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");
    }

    [Theory]
    [InlineData((50L << 20) + 1)]
    [InlineData(2_000_000_000)]
    [InlineData(3_000_000_000)]
    public async Task A_length_larger_than_a_file_may_be_is_refused_before_anything_arrived(long length)
    {
        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync($"POST {Predictions} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Api.Key}\r\n"
            + $"Content-Type: image/jpeg\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 413 ", answer);
        Assert.Contains("too-large", answer);
    }

    [Fact]
    public async Task However_many_fields_a_form_has_they_are_ignored()
    {
        var form = new Form();
        for (var i = 0; i < 50_000; i++)
        {
            form.Field("category", $"{i}");
        }

        using var content = form.Field("catgory", "dogs").File("cat.jpg", Pets.Cat).Field("category", "dogs").Content();
        var answer = await (await _client.PostAsync(Predictions, content, Api.Cancel)).JsonAsync();
        Assert.Equal("cats", answer["predictions"]!.AsArray().Single()!.BestLabel());
    }

    [Fact]
    public async Task A_hundred_files_are_answered_and_one_more_is_refused()
    {
        var tiny = Pictures.Jpeg(1);
        async Task<HttpResponseMessage> SendAsync(int count)
        {
            using var form = Api.Form(null, Enumerable.Range(0, count).Select(i => ($"{i}.jpg", tiny)));
            return await _client.PostAsync(Predictions, form, Api.Cancel);
        }

        Assert.Equal(100, (await (await SendAsync(100)).JsonAsync())["predictions"]!.AsArray().Count);
        await (await SendAsync(101)).ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-many-files");
    }

    [Fact]
    public async Task A_broken_form_is_refused()
    {
        using var form = Form.Of(new Form().File("a.jpg", Pets.Cat).Unfinished[..^100]);
        await (await _client.PostAsync(Predictions, form, Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }

    [Fact]
    public async Task No_odd_file_brings_the_host_down_neither_uploaded_nor_predicted_nor_explained()
    {
        var model = await _client.NewModelAsync("odd");
        foreach (var file in SharedData.Files("datasets/odd_files"))
        {
            var bytes = await File.ReadAllBytesAsync(file, Api.Cancel);
            using var form = Api.Form("odd", (Path.GetFileName(file), bytes));
            var upload = await _client.PostAsync($"{model}/images", form, Api.Cancel);
            var predict = await _client.PostAsync($"{Predictions}?explain=true", Api.Raw(bytes), Api.Cancel);

            var answer = (await upload.Content.ReadAsStringAsync(Api.Cancel), await predict.Content.ReadAsStringAsync(Api.Cancel));
            Assert.True((int)upload.StatusCode is 200 or 422, $"{file}: {answer}");
            Assert.True(upload.StatusCode == predict.StatusCode, $"{file}: {answer}"); // what can be learned from can be predicted
            if (upload.StatusCode == HttpStatusCode.OK)
            {
                IsSound(JsonNode.Parse(answer.Item2)!["predictions"]![0]!);
                Assert.NotNull(JsonNode.Parse(answer.Item2)!["predictions"]![0]!["explanation"]!["data"]);
                var id = JsonNode.Parse(answer.Item1)!["accepted"]![0]!["id"];
                foreach (var size in new[] { 1, 200, 2_048 })
                {
                    var thumbnail = await _client.GetAsync($"{model}/images/{id}/content?size={size}", Api.Cancel);
                    Assert.True(thumbnail.IsSuccessStatusCode, $"{file} at {size}: {thumbnail.StatusCode}");
                }
            }
        }

        await _client.GetJsonAsync("/health/ready");
        IsSound((await (await PostAsync("")).JsonAsync())["predictions"]![0]!);
    }

    [Fact]
    public async Task Addresses_of_images_are_fetched_and_answered_in_their_order()
    {
        await using var web = new WebPages();
        var dog = Pets.Dogs.First();
        string[] urls = [web.Lay("/a cat.jpg", Pets.Cat), web.Address + "/gone.jpg",
            web.Lay("/dog", await File.ReadAllBytesAsync(dog, Api.Cancel)),
            web.Address.Replace("127.0.0.1", "localhost") + "/dog"];

        var answer = await (await _client.PostAsync(Predictions, new { urls })).JsonAsync();

        var predictions = answer["predictions"]!.AsArray();
        Assert.Equal(urls, predictions.Select(p => (string?)p!["fileName"]));
        Assert.Equal(["cats", null, "dogs", null], predictions.Select(p => (string?)p!["labels"]!.AsArray().FirstOrDefault()?["label"]));
        Assert.Contains("404", (string?)predictions[1]!["error"]);
        Assert.Contains("private network", (string?)predictions[3]!["error"]);
        Assert.All([predictions[0], predictions[2]], IsSound);

        await (await _client.PostAsync(Predictions, new { urls = urls[1..2] }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unreadable-image");
        await (await _client.PostAsync(Predictions, new { urls = new[] { "file:///etc/passwd" } }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unreadable-image");
        await (await _client.PostAsync(Predictions, new { urls = Array.Empty<string>() }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-files");
        await (await _client.PostAsync(Predictions, new { urls = Enumerable.Repeat(urls[1], 101) }))
            .ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-many-files");
        await (await _client.PostAsync(Predictions, new { urls = new[] { 1 } })).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }

    private Task<HttpResponseMessage> PostAsync(string query) => _client.PostAsync(Predictions + query, Api.Raw(Pets.Cat), Api.Cancel);

    private async Task<int> LabelsAsync(string query) =>
        (await (await PostAsync(query)).JsonAsync())["predictions"]![0]!["labels"]!.AsArray().Count;

    private static void IsSound(JsonNode? prediction)
    {
        Assert.Equal(["fileName", "labels", "unknown", "error", "explanation"], prediction!.AsObject().Select(p => p.Key));
        var probabilities = prediction["labels"]!.AsArray().Select(l => (double)l!["probability"]!).ToList();
        Assert.Equal(probabilities.OrderDescending(), probabilities);
        Assert.Equal(1, probabilities.Sum(), tolerance: 1e-5);
        Assert.Equal(2, prediction["labels"]!.AsArray().Select(l => (string)l!["label"]!).Distinct().Count());
    }
}
