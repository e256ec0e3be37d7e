using System.Net;
using System.Net.Http.Headers;
using Headstart.Tests.Backbones;
using Headstart.Tests.Hosting;

namespace Headstart.Tests.Uploads.Bodies;

/// <summary>Looks at the heap of the whole process, so nothing else may run beside it.</summary>
[Collection(Alone.Name)]
public sealed class LargeUploadTests(TestHost host) : IClassFixture<TestHost>
{
    private const long MiB = 1 << 20;

    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData(1, 200)]
    [InlineData(200, 1)]
    public async Task Two_hundred_megabytes_are_refused_or_read_file_by_file_without_holding_them(int files, int megabytesEach)
    {
        var model = await _client.NewModelAsync("cats");
        await _client.AddAsync(model, "cats", Pictures.Jpeg(0)); // everything is loaded and compiled
        using var form = Api.Form("cats", ("first.jpg", Pictures.Jpeg(1)));
        for (var i = 0; i < files; i++)
        {
            form.Add(new Blanks(megabytesEach * MiB), "file", $"{i}.bin");
        }

        form.Add(File(Pictures.Jpeg(2)), "file", "last.jpg");
        var (before, peak) = (GC.GetTotalMemory(forceFullCollection: true), 0L);
        using var stop = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                // What is held, and not what the collector lets lie: which may be all of it: resident memory grew by 220 MiB of garbage.
                peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: true));
                await Task.Delay(50, CancellationToken.None);
            }
        }, Api.Cancel);

        var answer = await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();
        await stop.CancelAsync();
        await watch;

        Assert.Equal(["first.jpg", "last.jpg"], answer["accepted"]!.AsArray().Select(i => (string?)i!["fileName"]));
        Assert.Equal(files, answer["rejected"]!.AsArray().Count);
        Assert.All(answer["rejected"]!.AsArray(), r =>
            Assert.Equal(megabytesEach > 20 ? "too-large" : "unsupported-format", (string?)r!["reason"]));
        Assert.True(peak - before < 150 * MiB, // arrays that the pool keeps, and not what was sent
             $"{(peak - before) / MiB} MiB were held.");
    }

    [Fact]
    public async Task Of_ten_thousand_parts_those_up_to_the_limit_are_taken_and_the_answer_says_so()
    {
        var model = await _client.NewModelAsync("cats");
        var body = new Form().Field("category", "cats").File("good.jpg", Pictures.Jpeg(1));
        for (var i = 1; i < 10_000; i++)
        {
            body.File($"{i}.jpg", "no image"u8.ToArray());
        }

        using var form = body.Content();
        var problem = await (await _client.PostAsync($"{model}/images", form, Api.Cancel))
            .ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-many-files");

        Assert.Contains("5,000", (string?)problem["detail"]);
        Assert.Equal(1, (int)problem["accepted"]!);
        Assert.Equal(1, (int)(await _client.GetJsonAsync(model))["categories"]![0]!["imageCount"]!);
    }

    [Fact]
    public async Task Ten_thousand_fields_are_read_past()
    {
        var model = await _client.NewModelAsync("cats");
        var body = new Form();
        for (var i = 0; i < 10_000; i++)
        {
            body.Field($"field{i}", "value");
        }

        using var form = body.Field("category", "cats").File("good.jpg", Pictures.Jpeg(1)).Content();
        Assert.Single((await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["accepted"]!.AsArray());
    }

    private static ByteArrayContent File(byte[] bytes) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("image/jpeg") } };
}
