using System.Net;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Uploads.Bodies;

/// <summary>Forms whose fields come in the order of an HTML form or of a program's lists: no file gets the category of another.</summary>
[Collection<BodiesHost>]
public sealed class FormOrderTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData("1 c:disc 2 c:stripe 3 c:disc")] // an HTML form
    [InlineData("1 2 c:disc")] // files first
    [InlineData("1 2 c:disc c:stripe")]
    [InlineData("c:disc c:stripe 1 2")] // two lists
    [InlineData("c:disc c:stripe c:cross 1 2 3")]
    public async Task A_form_that_could_mean_something_else_is_refused_before_anything_is_stored(string parts)
    {
        foreach (var model in new[] { await _client.NewModelAsync(), await MultiLabelAsync() })
        {
            foreach (var path in new[] { "images", "images?async=true", "images?dryRun=true", "feedback" })
            {
                using var form = FormOf(parts).Content();
                var problem = await (await _client.PostAsync($"{model}/{path}", form, Api.Cancel))
                    .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unclear-order");
                Assert.Contains("each category before its files", (string?)problem["detail"]);
            }

            Assert.Equal(0, await _client.CountAsync(model));
        }
    }

    [Theory]
    [InlineData("c:disc 1 c:stripe 2", "disc stripe")]
    [InlineData("c:disc 1 2 3", "disc disc disc")]
    [InlineData("c:disc c:disc 1 2", "disc disc")] // a list with the same category for each file
    public async Task A_form_that_is_certain_is_taken(string parts, string expected)
    {
        using var form = FormOf(parts).Content();
        var answer = await (await _client.PostAsync($"{await _client.NewModelAsync()}/images", form, Api.Cancel)).JsonAsync();
        Assert.Equal(expected, string.Join(' ', answer["accepted"]!.AsArray().Select(i => (string?)i!["category"])));
    }

    [Theory]
    [InlineData("c:sea c:sky 1", "sea|sky")]
    [InlineData("c:sea c:sky 1 2 3", "sea|sky sea|sky sea|sky")]
    [InlineData("c:sea c:sky 1 2 c:sea 3", "sea|sky sea|sky sea")]
    public async Task Categories_in_a_row_apply_together_in_a_multi_label_model(string parts, string expected)
    {
        using var form = FormOf(parts).Content();
        var answer = await (await _client.PostAsync($"{await MultiLabelAsync()}/images", form, Api.Cancel)).JsonAsync();
        Assert.Equal(expected, string.Join(' ', answer["accepted"]!.AsArray().Select(i => string.Join('|', i!["categories"]!.AsArray()))));
    }

    [Fact]
    public async Task No_file_has_more_categories_than_a_model()
    {
        var model = await MultiLabelAsync();
        var form = new Form();
        foreach (var i in Enumerable.Range(0, 1_001))
        {
            form.Field("category", $"c{i}");
        }

        await (await _client.SendImagesAsync(model, form.File("a.png", Pictures.Tiny(1)).Content()))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-many-categories");
        Assert.Equal(0, await _client.CountAsync(model));
    }

    [Fact]
    public async Task A_form_of_texts_is_held_to_the_same_order()
    {
        var model = await _client.NewTextModelAsync();
        foreach (var query in new[] { "", "?dryRun=true" })
        {
            using var form = new Form().File("a.txt", "one"u8.ToArray()).Field("category", "good").File("b.txt", "two"u8.ToArray())
                .Field("category", "bad").Content();
            await (await _client.PostAsync($"{model}/texts{query}", form, Api.Cancel))
                .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unclear-order");
        }

        Assert.Empty((await _client.GetJsonAsync($"{model}/texts"))["items"]!.AsArray());
        using var unlabelled = new Form().File("a.txt", "one"u8.ToArray()).File("b.txt", "two"u8.ToArray()).Content();
        var answer = await (await _client.PostAsync($"{model}/texts", unlabelled, Api.Cancel)).JsonAsync();
        Assert.Equal(2, answer["accepted"]!.AsArray().Count);
    }

    [Fact]
    public async Task NanoNets_forms_name_one_category()
    {
        var model = await _client.NewModelAsync("disc", "stripe");
        foreach (var (parts, status) in new[] { ("1 c:disc 2 c:stripe", HttpStatusCode.BadRequest), ("1 2 c:disc", HttpStatusCode.OK),
            ("1 c:disc 2 c:disc", HttpStatusCode.OK) })
        {
            var id = model.Split('/')[^1];
            using var form = FormOf(parts).Field("modelId", id).Content();
            var answer = await _client.PostAsync($"/api/v2/ImageCategorization/UploadFile/?modelId={id}", form, Api.Cancel);
            Assert.Equal((parts, status), (parts, answer.StatusCode));
        }

        Assert.Equal(["disc 2", "stripe 0"], (await _client.GetJsonAsync(model))["categories"]!.AsArray()
            .Select(c => $"{c!["name"]} {c["imageCount"]}"));
    }

    private static Form FormOf(string parts) => parts.Split(' ').Aggregate(new Form(), (form, part) => part[0] == 'c'
        ? form.Field("category", part[2..]) : form.File($"{part}.png", Pictures.Tiny(part[0])));

    private async Task<string> MultiLabelAsync() => "/api/v1/models/" + (await (await _client.PostAsync("/api/v1/models",
        new { name = $"{Guid.CreateVersion7()}", kind = "multiLabelImageClassification", categories = new[] { "sea", "sky" } }))
            .JsonAsync(HttpStatusCode.Created))["id"];
}
