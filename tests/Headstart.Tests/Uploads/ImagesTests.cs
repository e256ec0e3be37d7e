using System.Net;
using System.Net.Http.Headers;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Uploads;

[Collection<BodiesHost>]
public sealed class ImagesTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Pages_of_images_join_and_can_be_narrowed_to_a_category()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        await _client.AddAsync(model, "cats", [.. Enumerable.Range(0, 12).Select(i => Pictures.Jpeg(i))]);
        await _client.AddAsync(model, "dogs", Pictures.Jpeg(20));

        Assert.Equal(13, (await IdsAsync($"{model}/images?limit=5")).Distinct().Count());
        Assert.Equal(12, (await IdsAsync($"{model}/images?limit=5&category=cats")).Count);
        Assert.Single(await IdsAsync($"{model}/images?category=dogs"));
        Assert.Empty(await IdsAsync($"{model}/images?category=wolves"));
    }

    [Theory]
    [InlineData("limit=x")]
    [InlineData("after=x")]
    [InlineData("category=%00")]
    public async Task A_query_that_cannot_be_read_is_refused(string query)
    {
        var model = await _client.NewModelAsync("cats");
        await (await _client.GetAsync($"{model}/images?{query}", Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }

    [Fact]
    public async Task A_thumbnail_fits_the_asked_square_and_is_never_larger_than_the_image()
    {
        var model = await _client.NewModelAsync("cats");
        var content = $"{model}/images/{(await _client.AddAsync(model, "cats", Pictures.Png(1, 60, 30)))[0]!["id"]}/content";
        foreach (var (size, width, height) in new[] { (1, 1, 1), (20, 20, 10), (2_048, 60, 30) })
        {
            var response = await _client.GetAsync($"{content}?size={size}", Api.Cancel);
            Assert.Equal("image/jpeg", response.Content.Headers.ContentType?.MediaType);
            using var image = NetVips.Image.NewFromBuffer(await response.Content.ReadAsByteArrayAsync(Api.Cancel));
            Assert.Equal((width, height), (image.Width, image.Height));
        }

        foreach (var size in new[] { "0", "-1", "2049", "2147483647" })
        {
            await (await _client.GetAsync($"{content}?size={size}", Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "invalid-size");
        }

        await (await _client.GetAsync($"{content}?size=big", Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }

    [Fact]
    public async Task A_photograph_taken_sideways_is_described_and_shown_upright()
    {
        var model = await _client.NewModelAsync("cats");
        var sideways = Pictures.Write(1, 60, 30, image =>
        {
            using var turned = image.Mutate(m => m.Set(NetVips.GValue.GIntType, "orientation", 6));
            return turned.JpegsaveBuffer();
        });

        var answer = (await _client.AddAsync(model, "cats", sideways))[0]!;

        Assert.Equal((30, 60), ((int)answer["width"]!, (int)answer["height"]!));
        using var thumbnail = NetVips.Image.NewFromBuffer(
            await _client.GetByteArrayAsync($"{model}/images/{answer["id"]}/content?size=20", Api.Cancel));
        Assert.Equal((10, 20), (thumbnail.Width, thumbnail.Height));
    }

    [Fact]
    public async Task Content_is_sent_once_and_never_taken_for_a_page()
    {
        var model = await _client.NewModelAsync("cats");
        var content = $"{model}/images/{(await _client.AddAsync(model, "cats", Pictures.Png(1)))[0]!["id"]}/content";
        var tags = new List<EntityTagHeaderValue?>();
        foreach (var path in new[] { content, content + "?size=16", content + "?size=8" })
        {
            var first = await _client.GetAsync(path, Api.Cancel);
            Assert.Equal("nosniff", first.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Contains("sandbox", first.Headers.GetValues("Content-Security-Policy").Single());
            Assert.True(first.Headers.CacheControl?.Private);
            tags.Add(first.Headers.ETag);

            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
            var second = await _client.SendAsync(request, Api.Cancel);
            Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
            Assert.Empty(await second.Content.ReadAsByteArrayAsync(Api.Cancel));
        }

        Assert.Equal(3, tags.Distinct().Count());
        Assert.Equal("image/png", (await _client.GetAsync(content, Api.Cancel)).Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task An_image_moves_to_another_category()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var image = $"{model}/images/{(await _client.AddAsync(model, "cats", Pictures.Jpeg(1)))[0]!["id"]}";

        Assert.Equal("dogs", (string?)(await (await _client.SendAsync(HttpMethod.Patch, image, new { category = " dogs " }))
            .JsonAsync())["category"]);
        Assert.Equal("dogs", (string?)(await _client.GetJsonAsync(image))["category"]);

        foreach (var category in new[] { "wolves", "", "nul\0" })
        {
            await (await _client.SendAsync(HttpMethod.Patch, image, new { category }))
                .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unknown-category");
        }

        await (await _client.SendAsync(HttpMethod.Patch, image, new { category = (string?)null }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-to-change");

        await (await _client.SendAsync(HttpMethod.Patch, image, new { category = 5 }))
            .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        Assert.Equal("dogs", (string?)(await _client.GetJsonAsync(image))["category"]);
    }

    [Fact]
    public async Task A_deleted_image_is_gone()
    {
        var model = await _client.NewModelAsync("cats");
        var image = $"{model}/images/{(await _client.AddAsync(model, "cats", Pictures.Jpeg(1)))[0]!["id"]}";

        Assert.Equal(HttpStatusCode.NoContent, (await _client.SendAsync(HttpMethod.Delete, image)).StatusCode);

        foreach (var (method, path) in new[] { (HttpMethod.Get, image), (HttpMethod.Get, image + "/content"), (HttpMethod.Delete, image) })
        {
            await (await _client.SendAsync(method, path)).ProblemAsync(HttpStatusCode.NotFound, "image-not-found");
        }

        Assert.Equal(0, (int)(await _client.GetJsonAsync(model))["categories"]![0]!["imageCount"]!);
    }

    [Fact]
    public async Task An_image_whose_file_was_lost_is_answered_with_a_refusal()
    {
        var model = await _client.NewModelAsync("cats");
        var image = (await _client.AddAsync(model, "cats", Pictures.Jpeg(777)))[0]!;
        var hash = (string)image["sha256"]!;
        var blob = Path.Combine(host.DataFolder, "blobs", "sha256", hash[..2], hash);
        await File.WriteAllTextAsync(blob, "damaged", Api.Cancel);
        await (await _client.GetAsync($"{model}/images/{image["id"]}/content", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "image-not-found");
        File.Delete(blob);
        await (await _client.GetAsync($"{model}/images/{image["id"]}/content?size=10", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "image-not-found");
        await _client.AddAsync(model, "cats", Pictures.Jpeg(777)); // sending it again is the cure
        Assert.Equal(Pictures.Jpeg(777), await _client.GetByteArrayAsync($"{model}/images/{image["id"]}/content", Api.Cancel));
    }

    private async Task<List<string>> IdsAsync(string path)
    {
        var ids = new List<string>();
        for (var after = ""; ;)
        {
            var page = await _client.GetJsonAsync(path + after);
            ids.AddRange(page["items"]!.AsArray().Select(i => (string)i!["id"]!));
            if ((string?)page["next"] is not { } next)
            {
                return ids;
            }

            after = $"&after={next}";
        }
    }
}
