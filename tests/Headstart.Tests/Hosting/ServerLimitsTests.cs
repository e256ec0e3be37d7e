using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Hosting;

/// <summary>Clients that try to hold on to the server, each on a socket of its own, and others that are answered meanwhile.</summary>
public sealed class ServerLimitsTests(ServerLimitsTests.ImpatientHost host) : IClassFixture<ServerLimitsTests.ImpatientHost>
{
    private const string Post =
        $"POST /api/v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Api.Key}\r\nContent-Type: application/json\r\n";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public sealed class ImpatientHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Server:HeadSeconds", "1"), ("Headstart:Server:MinBytesPerSecond", "2000000"),
                ("Headstart:Uploads:MaxFileBytes", "100000")];
    }

    [Theory]
    [InlineData(200, 10)]
    [InlineData(1, 40_000)]
    public async Task Too_many_or_too_large_headers_are_refused(int count, int length)
    {
        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync("GET /health/live HTTP/1.1\r\nHost: x\r\n"
            + string.Concat(Enumerable.Range(0, count).Select(i => $"X-{i}: {new string('x', length)}\r\n")) + "\r\n");
        Assert.StartsWith("HTTP/1.1 431 ", await connection.ReadToEndAsync());
    }

    [Fact]
    public async Task A_long_request_line_is_refused()
    {
        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync($"GET /{new string('x', 9_000)} HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 414 ", await connection.ReadToEndAsync());
    }

    [Fact]
    public async Task A_head_that_never_ends_is_given_up_and_others_are_answered_meanwhile()
    {
        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync("GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ");
        var slow = connection.SendUntilAnsweredAsync("x"u8.ToArray(), Pause);
        await host.Client.GetJsonAsync("/api/v1/models");
        await slow;
        Assert.StartsWith("HTTP/1.1 408 ", await connection.ReadToEndAsync());
    }

    [Fact]
    public async Task A_body_that_trickles_is_given_up_with_a_problem()
    {
        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync($"{Post}Content-Length: 500000\r\n\r\n");
        await connection.SendUntilAnsweredAsync(" "u8.ToArray(), Pause);
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("too-slow", answer);
    }

    [Fact]
    public async Task A_body_that_never_ends_is_refused_with_a_problem()
    {
        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync($"{Post}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        await connection.SendUntilAnsweredAsync(Chunk(new string(' ', 65_536)), TimeSpan.Zero);
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 413 ", answer);
        Assert.Contains("too-large", answer);
    }

    [Fact]
    public async Task A_list_whose_row_never_ends_is_refused()
    {
        Needs.Time();
        var model = await host.Client.NewModelAsync("cats");
        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync($"POST {model}/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Api.Key}\r\n"
            + "Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        await connection.SendAsync(Chunk("url,category\nhttp://127.0.0.1:1/"));
        await connection.SendUntilAnsweredAsync(Chunk(new string('x', 65_536)), TimeSpan.Zero);
        Assert.StartsWith("HTTP/1.1 4", await connection.ReadToEndAsync());
    }

    [Fact]
    public async Task An_answer_that_is_fetched_in_drops_is_given_up()
    {
        Needs.Time();
        const int Most = 1_000_000;
        var model = await host.Client.NewTextModelAsync();
        foreach (var some in Enumerable.Range(0, 200).Chunk(20)) // more than all buffers on the way hold
        {
            await host.Client.AddTextsAsync(model, some.Select(i => ("", $"{i} {new string('x', 90_000)}")));
        }

        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync($"GET {model}/texts?limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Api.Key}\r\n\r\n");
        Assert.InRange(await connection.ReadSlowlyAsync(1_024, Pause, Most), 1, Most - 1);
    }

    private static byte[] Chunk(string text) => Encoding.Latin1.GetBytes($"{text.Length:x}\r\n{text}\r\n");
}
