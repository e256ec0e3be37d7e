using System.Net;

namespace Headstart.Tests.Hosting;

/// <summary>HTTP/1.1 and HTTP/2 without TLS on one port: the client's first bytes decide.</summary>
[Collection<HostingHost>]
public sealed class CleartextHttp2Tests(TestHost host)
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_client_is_answered_in_the_protocol_that_it_speaks(string version)
    {
        using var client = new HttpClient
        {
            BaseAddress = host.Address,
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        foreach (var _ in Enumerable.Range(0, 2)) // the second on the same connection
        {
            using var answer = await client.GetAsync("/health/live", Api.Cancel);
            Assert.Equal((HttpStatusCode.OK, Version.Parse(version)), (answer.StatusCode, answer.Version));
        }
    }

    [Fact]
    public async Task A_first_line_in_pieces_is_one_of_HTTP_1()
    {
        await using var connection = await RawConnection.OpenAsync(host.Address);
        await connection.SendAsync("P");
        await connection.SendAsync("OST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 405 ", await connection.ReadToEndAsync());
    }
}
