using System.Net;
using System.Net.Sockets;
using System.Text;
using Headstart.Hosting;

namespace Headstart.Tests.Processes;

/// <summary>The verb as its users type it. What a download does in detail is tested with the library.</summary>
public sealed class FetchCommandTests
{
    [Fact]
    public async Task A_backbone_that_the_server_does_not_have_ends_in_a_sentence_and_leaves_no_file()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        await using var host = new HostProcess { Arguments = ["backbones", "fetch", "resnet18"] };
        host.Environment["Headstart__Backbones__Download"] = "true";
        host.Environment["Headstart__Backbones__Mirror"] = $"http://{server.LocalEndpoint}/zoo/";
        var asked = AnswerNotFoundAsync(server);

        var (exitCode, output) = await host.RunAsync();

        Assert.Equal(1, exitCode);
        Assert.Contains("/zoo/onnxmodelzoo/", await asked, StringComparison.Ordinal);
        Assert.Matches("^The backbone 'resnet18' could not be downloaded: .*\\.$", output.Trim());
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(host.DataFolder, "backbones")), f =>
            f.EndsWith(".onnx", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("resnet9000", "true", "The catalogue has no backbone resnet9000")]
    [InlineData("resnet18", "false", "Headstart:Backbones:Download is false")]
    public async Task What_cannot_be_fetched_is_said_in_one_sentence(string id, string download, string sentence)
    {
        await using var host = new HostProcess { Arguments = ["backbones", "fetch", id] };
        host.Environment["Headstart__Backbones__Download"] = download;

        var (exitCode, output) = await host.RunAsync();

        Assert.Equal(1, exitCode);
        Assert.StartsWith(sentence, Assert.Single(output.Trim().Split('\n')), StringComparison.Ordinal);
    }

    private static async Task<string> AnswerNotFoundAsync(TcpListener server)
    {
        using var client = await server.AcceptTcpClientAsync(Api.Cancel);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, leaveOpen: true);
        var request = await reader.ReadLineAsync(Api.Cancel) ?? "";
        while (await reader.ReadLineAsync(Api.Cancel) is { Length: > 0 })
        {
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            Api.Cancel);
        return request;
    }
}
