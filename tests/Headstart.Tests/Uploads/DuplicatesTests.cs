using System.Net;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Uploads;

[Collection<BodiesHost>]
public sealed class DuplicatesTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task The_same_bytes_twice_in_one_request_and_again_are_one_image()
    {
        var model = await _client.NewModelAsync("cats");
        var picture = Pictures.Jpeg(1);

        var twice = await _client.AddAsync(model, "cats", picture, picture);
        var again = await _client.AddAsync(model, "cats", picture);

        Assert.Single(twice.Concat(again).Select(i => (string)i!["id"]!).Distinct());
        Assert.Equal(1, await CountAsync(model));
    }

    [Fact]
    public async Task The_same_bytes_in_another_category_are_refused_and_the_answer_names_the_image()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var id = (string)(await _client.AddAsync(model, "cats", Pictures.Jpeg(1)))[0]!["id"]!;

        using var form = new Form().Field("category", "dogs").File("same.jpg", Pictures.Jpeg(1)).File("new.jpg", Pictures.Jpeg(2))
            .Content();
        var answer = await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();

        var rejected = answer["rejected"]!.AsArray().Single()!;
        Assert.Equal("duplicate", (string?)rejected["reason"]);
        Assert.Contains(id, (string?)rejected["detail"]);
        Assert.Single(answer["accepted"]!.AsArray());
        Assert.Equal("cats", (string?)(await _client.GetJsonAsync($"{model}/images/{id}"))["category"]);
    }

    [Fact]
    public async Task The_same_bytes_in_two_categories_of_one_request_count_for_the_first()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        using var form = new Form().Field("category", "cats").File("a.jpg", Pictures.Jpeg(1)).Field("category", "dogs")
            .File("b.jpg", Pictures.Jpeg(1)).Content();
        var answer = await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();
        Assert.Equal(("a.jpg", "b.jpg"), ((string?)answer["accepted"]!.AsArray().Single()!["fileName"],
            (string?)answer["rejected"]!.AsArray().Single()!["fileName"]));
    }

    [Fact]
    public async Task Another_model_may_have_the_same_bytes_on_the_same_side_of_the_split()
    {
        var splits = new List<string?>();
        for (var i = 0; i < 2; i++)
        {
            splits.Add((string?)(await _client.AddAsync(await _client.NewModelAsync("cats"), "cats", Pictures.Jpeg(1)))[0]!["split"]);
        }

        Assert.Equal(splits[0], splits[1]);
    }

    [Fact]
    public async Task Many_requests_with_the_same_files_at_once_add_them_once()
    {
        var model = await _client.NewModelAsync("cats");
        var pictures = Enumerable.Range(0, 20).Select(i => Pictures.Jpeg(i)).ToArray();

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _client.AddAsync(model, "cats", pictures)));

        Assert.All(answers, a => Assert.Equal(20, a.Count));
        Assert.Equal(20, answers.SelectMany(a => a).Select(i => (string)i!["id"]!).Distinct().Count());
        Assert.Equal(20, await CountAsync(model));
    }

    [Fact]
    public async Task Requests_with_the_same_files_in_opposite_order_do_not_block_each_other()
    {
        var model = await _client.NewModelAsync("cats");
        var pictures = Enumerable.Range(0, 60).Select(i => Pictures.Jpeg(i)).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 6)
            .Select(i => _client.AddAsync(model, "cats", [.. i % 2 == 0 ? pictures : pictures.Reverse()])));
        Assert.Equal(60, await CountAsync(model));
    }

    [Fact]
    public async Task A_deleted_image_can_be_uploaded_again()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var first = (await _client.AddAsync(model, "cats", Pictures.Jpeg(1)))[0]!;
        await _client.SendAsync(HttpMethod.Delete, $"{model}/images/{first["id"]}");
        var second = (await _client.AddAsync(model, "dogs", Pictures.Jpeg(1)))[0]!;
        Assert.NotEqual((string?)first["id"], (string?)second["id"]);
        Assert.Equal((string?)first["split"], (string?)second["split"]);
    }

    [Fact]
    public async Task A_category_dropped_during_uploads_takes_no_image_with_it()
    {
        for (var round = 0; round < 6; round++)
        {
            var model = await _client.NewModelAsync("keep", "drop");
            using var form = new Form().Field("category", "drop").File("a.jpg", Pictures.Jpeg(1)).Content();

            var upload = _client.PostAsync($"{model}/images", form, Api.Cancel);
            var drop = _client.SendAsync(HttpMethod.Patch, model, new { categories = new[] { "keep" } });
            await Task.WhenAll(upload, drop);

            var dropped = (await drop).StatusCode == HttpStatusCode.OK;
            var taken = (await upload).StatusCode == HttpStatusCode.OK;
            Assert.True(dropped || (await drop).StatusCode == HttpStatusCode.Conflict, (await drop).StatusCode.ToString());
            Assert.True(taken || (await upload).StatusCode == HttpStatusCode.UnprocessableEntity, (await upload).StatusCode.ToString());
            Assert.NotEqual(taken, dropped);
            Assert.Equal(taken ? 1 : 0, await CountAsync(model));
        }
    }

    [Fact]
    public async Task A_model_deleted_during_an_upload_ends_it_with_a_refusal()
    {
        for (var round = 0; round < 6; round++)
        {
            var model = await _client.NewModelAsync("cats");
            using var form = Api.Form("cats", Enumerable.Range(0, 60).Select(i => ($"{i}.jpg", Pictures.Jpeg(i))));
            var upload = _client.PostAsync($"{model}/images", form, Api.Cancel);
            await Task.Delay(round * 5, Api.Cancel);
            Assert.Equal(HttpStatusCode.NoContent, (await _client.SendAsync(HttpMethod.Delete, model)).StatusCode);
            Assert.True((await upload).StatusCode is HttpStatusCode.OK or HttpStatusCode.UnprocessableEntity or HttpStatusCode.NotFound,
                await (await upload).Content.ReadAsStringAsync(Api.Cancel));
        }
    }

    private async Task<int> CountAsync(string model) =>
        (await _client.GetJsonAsync(model))["categories"]!.AsArray().Sum(c => (int)c!["imageCount"]!);
}
