using System.Net;
using System.Net.Sockets;
using System.Text;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Uploads.Bodies;

/// <summary>Bodies that break off or never were multipart: what came whole is kept, and the host is fine afterwards.</summary>
[Collection<BodiesHost>]
public sealed class BrokenUploadTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/mixed; boundary=a-boundary")]
    [InlineData("multipart/form-data")]
    [InlineData("multipart/form-data; boundary=")]
    [InlineData("multipart/form-data; boundary=\"\"")]
    [InlineData("multipart/form-data; boundary")]
    [InlineData("image/jpeg")]
    [InlineData("nonsense")]
    public async Task A_body_of_another_type_is_refused(string? contentType)
    {
        var model = await _client.NewModelAsync("cats");
        using var form = new Form().Field("category", "cats").File("a.jpg", Pictures.Jpeg(1)).Content();
        form.Headers.Remove("Content-Type");
        if (contentType is not null)
        {
            form.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        await (await _client.PostAsync($"{model}/images", form, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Fact]
    public async Task A_boundary_of_200_characters_is_read_and_a_longer_one_is_refused()
    {
        var model = await _client.NewModelAsync("cats");
        foreach (var (length, status) in new[] { (200, HttpStatusCode.OK), (201, HttpStatusCode.UnsupportedMediaType),
            (5_000, HttpStatusCode.UnsupportedMediaType) })
        {
            var boundary = new string('b', length);
            var body = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(new Form().Field("category", "cats")
                .File("a.jpg", Pictures.Jpeg(1)).Bytes).Replace(Form.Boundary, boundary));
            using var form = Form.Of(body, $"multipart/form-data; boundary={boundary}");
            Assert.Equal(status, (await _client.PostAsync($"{model}/images", form, Api.Cancel)).StatusCode);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("--another\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\nbytes\r\n--another--\r\n")]
    [InlineData("--a-boundary")]
    [InlineData("--a-boundary\r\nContent-Dispos")]
    [InlineData("--a-boundary\r\nno colon in this header\r\n\r\nbytes\r\n--a-boundary--\r\n")]
    [InlineData("--a-boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\nno end")]
    [InlineData("plain text")]
    public async Task A_body_that_is_not_well_formed_is_refused(string body)
    {
        var model = await _client.NewModelAsync("cats");
        using var form = Form.Of(Encoding.Latin1.GetBytes(body));
        await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        Assert.Equal(0, await CountAsync(model));
    }

    [Theory]
    [InlineData(17_000, 1)] // more than the reader takes of one header
    [InlineData(10, 40)] // more headers than it takes
    public async Task Endless_headers_are_refused_and_the_files_before_them_kept(int length, int count)
    {
        var model = await _client.NewModelAsync("cats");
        var headers = string.Concat(Enumerable.Range(0, count).Select(i => $"\r\nX-{i}: {new string('h', length)}"));
        using var form = new Form().Field("category", "cats").File("a.jpg", Pictures.Jpeg(1)).Part("form-data; name=\"x\"" + headers, [])
            .Content();
        await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        Assert.Equal(1, await CountAsync(model));
    }

    [Fact]
    public async Task A_body_that_ends_inside_a_file_keeps_the_files_before_it()
    {
        var model = await _client.NewModelAsync("cats");
        using var form = Form.Of(new Form().Field("category", "cats").File("a.jpg", Pictures.Jpeg(1)).File("b.jpg", Pictures.Jpeg(2))
            .Unfinished[..^40]);
        await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        Assert.Equal(1, await CountAsync(model));
    }

    [Fact]
    public async Task A_client_that_hangs_up_half_way_loses_nothing_that_was_read_and_sending_again_adds_nothing_twice()
    {
        var model = await _client.NewModelAsync("cats");
        var pictures = Enumerable.Range(0, 70).Select(i => Pictures.Jpeg(i)).ToArray();
        var form = new Form().Field("category", "cats");
        foreach (var picture in pictures)
        {
            form.File("a.jpg", picture);
        }

        async Task MostAreThereAsync()
        {
            for (var look = 0; look < 200 && await CountAsync(model) < 50; look++)
            {
                await Task.Delay(50, Api.Cancel);
            }
        }

        await HangUpAsync(model, form.Unfinished[..^(pictures[^1].Length / 2)], declared: form.Bytes.Length, rudely: false,
            MostAreThereAsync);
        await MostAreThereAsync(); // on a slow machine a first batch has fewer, and the others come when the server has noticed

        Assert.InRange(await CountAsync(model), 50, 69);
        await _client.AddAsync(model, "cats", pictures);
        Assert.Equal(70, await CountAsync(model));
        await _client.GetJsonAsync("/health/ready");
    }

    [Fact]
    public async Task Many_clients_that_hang_up_at_once_do_no_harm()
    {
        var model = await _client.NewModelAsync("cats");
        var body = new Form().Field("category", "cats").File("a.jpg", Pictures.Jpeg(1)).File("b.jpg", Pictures.Jpeg(2)).Unfinished;
        await Task.WhenAll(Enumerable.Range(0, 40)
            .Select(i => HangUpAsync(model, body[..(body.Length * i / 40)], declared: 1_000_000, rudely: i % 2 == 0)));
        await _client.AddAsync(model, "cats", Pictures.Jpeg(1), Pictures.Jpeg(2), Pictures.Jpeg(3));
        Assert.Equal(3, await CountAsync(model));
    }

    private async Task HangUpAsync(string model, byte[] body, int declared, bool rudely, Func<Task>? pause = null)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(host.Address.Host, host.Address.Port, Api.Cancel);
        socket.LingerState = new LingerOption(enable: rudely, seconds: 0); // a reset instead of an end
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {model}/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TestHost.Key}\r\n"
            + $"Content-Type: multipart/form-data; boundary={Form.Boundary}\r\nContent-Length: {declared}\r\n\r\n"), Api.Cancel);
        await stream.WriteAsync(body, Api.Cancel);
        await (pause?.Invoke() ?? Task.CompletedTask);
    }

    private async Task<int> CountAsync(string model) =>
        (await _client.GetJsonAsync(model))["categories"]!.AsArray().Sum(c => (int)c!["imageCount"]!);
}
