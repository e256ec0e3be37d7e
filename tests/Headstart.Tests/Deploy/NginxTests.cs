using System.Net;
using System.Net.WebSockets;
using System.Text;
using Headstart.Learning.Tests.Backbones;
using Headstart.Tests.Hosting;
using Headstart.Tests.Web;

namespace Headstart.Tests.Deploy;

/// <summary>Two web nodes behind nginx, as deploy/ puts them there.</summary>
[Collection("Nodes")]
public sealed class NginxTests(NodesTests.Nodes nodes)
{
    private static readonly string Configuration = File.ReadAllText(Repository.PathOf("deploy", "nginx.conf"));

    [Fact]
    public async Task A_model_is_made_trained_and_used_without_knowing_of_nodes()
    {
        await using var nginx = await StartAsync(nodes.First.Address, nodes.Second.Address);
        using var client = Client(nginx);

        var model = await client.PetsAsync();
        var run = await client.StartRunAsync(model);
        using (var events = await client.GetAsync($"{model}/training-runs/{run["id"]}/events", HttpCompletionOption.ResponseHeadersRead,
            Api.Cancel))
        {
            var text = await events.Content.ReadAsStringAsync(Api.Cancel); // to the end of the run
            Assert.Contains("succeeded", text, StringComparison.Ordinal);
        }

        var answer = await client.PredictAsync(model, Pets.Cats[^1]);
        Assert.Equal("cats", (string?)answer["predictions"]![0]!["labels"]![0]!["label"]);
    }

    [Fact]
    public async Task A_live_page_stays_with_one_node()
    {
        await using var nginx = await StartAsync(nodes.First.Address, nodes.Second.Address);
        for (var visitor = 0; visitor < 8; visitor++)
        {
            using var browser = new Browser(nginx.Address);
            (await browser.SignInAsync(Api.Key)).Dispose();

            // What blazor.web.js does: asks for a connection, then opens it. The other node would not know it.
            var negotiated = await (await browser.Client.PostAsync("/_blazor/negotiate?negotiateVersion=1", null, Api.Cancel)).JsonAsync();
            using var socket = new ClientWebSocket();
            socket.Options.Cookies = browser.Cookies;
            await socket.ConnectAsync(new Uri($"ws://{nginx.Address.Authority}/_blazor?id={negotiated["connectionToken"]}"), Api.Cancel);
            await socket.SendAsync(Encoding.UTF8.GetBytes("{\"protocol\":\"blazorpack\",\"version\":1}\u001e"), WebSocketMessageType.Text,
                true, Api.Cancel);
            var buffer = new byte[1_000];
            var shaken = await socket.ReceiveAsync(buffer, Api.Cancel);
            Assert.Equal("{}\u001e", Encoding.UTF8.GetString(buffer, 0, shaken.Count));
        }
    }

    [Fact]
    public async Task When_no_node_answers_it_says_so_and_when_to_come_again()
    {
        var nobody = new Uri("http://127.0.0.1:1");
        await using var nginx = await StartAsync(nobody, nobody);
        using var client = Client(nginx);

        using var answer = await client.GetAsync("/api/v1/models", Api.Cancel);

        await answer.ProblemAsync(HttpStatusCode.ServiceUnavailable, "no-node");
        Assert.NotNull(answer.Headers.RetryAfter);
        foreach (var path in (string[])["/metrics", "/Metrics", "/metrics/"])
        {
            using var metrics = await client.GetAsync(path, Api.Cancel);
            Assert.Equal(HttpStatusCode.NotFound, metrics.StatusCode);
        }
    }

    [Fact]
    public async Task Nodes_whose_queues_are_full_still_serve_everything_else()
    {
        using var node = new LoopbackServer(async request =>
        {
            await request.HeadAsync(request.Path.EndsWith("/predictions", StringComparison.Ordinal) ? "503 Service Unavailable" : "200 OK",
                "Content-Length: 2", "Connection: close");
            await request.BodyAsync("{}"u8.ToArray());
        });
        var address = new Uri(node.Address.GetLeftPart(UriPartial.Authority));
        await using var nginx = await StartAsync(address, address);
        using var client = Client(nginx);
        for (var i = 0; i < 4; i++)
        {
            using var refused = await client.PostAsync("/api/v1/models/m/predictions", Api.Raw([1]), Api.Cancel);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            using var other = await client.GetAsync("/api/v1/models", Api.Cancel);
            Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        }
    }

    private static Task<Nginx> StartAsync(Uri first, Uri second)
    {
        Needs.Programs("nginx");
        return Nginx.StartAsync(Configuration, first, second);
    }

    private static HttpClient Client(Nginx nginx)
    {
        var client = new HttpClient { BaseAddress = nginx.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Api.Key);
        return client;
    }
}
