using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Headstart.Tests.Access;
using Headstart.Tests.Predictions;
using Headstart.Tests.Processes;
using Inference;

namespace Headstart.Tests.OpenInference;

/// <summary>The Open Inference Protocol over gRPC, on the port of the API, with the calls that tritonclient.grpc makes.</summary>
public sealed partial class GrpcInferenceTests : IClassFixture<TrainedHost>, IDisposable
{
    private readonly TrainedHost _host;
    private readonly GrpcChannel _channel;
    private readonly GRPCInferenceService.GRPCInferenceServiceClient _client;
    private readonly Metadata _key = new() { { "authorization", $"Bearer {TestHost.Key}" } };

    public GrpcInferenceTests(TrainedHost host)
    {
        _host = host;
        _channel = GrpcChannel.ForAddress(host.Address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
        _client = new(_channel);
    }

    private CallOptions Keyed => new(_key, cancellationToken: Api.Cancel);

    private string Id => _host.Model.Split('/')[^1];

    public void Dispose() => _channel.Dispose();

    [Fact]
    public async Task Server_and_model_say_what_they_are()
    {
        Assert.True((await _client.ServerLiveAsync(new(), cancellationToken: Api.Cancel)).Live);
        Assert.True((await _client.ServerReadyAsync(new(), cancellationToken: Api.Cancel)).Ready);
        Assert.Equal("headstart", (await _client.ServerMetadataAsync(new(), cancellationToken: Api.Cancel)).Name);

        var name = (string)(await _host.Client.GetJsonAsync(_host.Model))["name"]!;
        foreach (var (model, version) in new[] { (Id, ""), (name, "1") })
        {
            Assert.True((await _client.ModelReadyAsync(new() { Name = model, Version = version }, Keyed)).Ready);
            var metadata = await _client.ModelMetadataAsync(new() { Name = model, Version = version }, Keyed);
            Assert.Equal((model, "image", "BYTES"), (metadata.Name, metadata.Inputs.Single().Name, metadata.Inputs[0].Datatype));
            Assert.Equal(["label", "probability", "probabilities", "unknown"], metadata.Outputs.Select(output => output.Name));
            Assert.Equal(["1"], metadata.Versions);
            var config = (await _client.ModelConfigAsync(new() { Name = model, Version = version }, Keyed)).Config;
            Assert.Equal((DataType.TypeString, DataType.TypeFp32), (config.Input.Single().DataType, config.Output[1].DataType));
            Assert.Equal("""["cats","dogs"]""", config.Parameters["labels"].StringValue);
        }

        var empty = (await _host.Client.NewModelAsync("a", "b")).Split('/')[^1];
        Assert.False((await _client.ModelReadyAsync(new() { Name = empty }, Keyed)).Ready);
        var index = await _client.RepositoryIndexAsync(new() { Ready = true }, Keyed);
        Assert.Equal((name, "1", "READY"), (index.Models.Single().Name, index.Models[0].Version, index.Models[0].State));
    }

    [Fact]
    public async Task Raw_files_get_raw_answers_as_tritonclient_reads_them()
    {
        var files = Pets.Dogs.TakeLast(3).Select(File.ReadAllBytes).ToArray();
        var expected = (await _host.Client.PredictAsync(_host.Model, [.. Pets.Dogs.TakeLast(3)]))["predictions"]!.AsArray();
        var request = Request("BYTES", [3]);
        request.Id = "42";
        request.RawInputContents.Add(ByteString.CopyFrom([.. files.SelectMany(file => Length(file.Length).Concat(file))]));

        var answer = await _client.ModelInferAsync(request, Keyed);

        Assert.Equal(("42", Id, "1"), (answer.Id, answer.ModelName, answer.ModelVersion));
        Assert.All(answer.Outputs, output => Assert.Null(output.Contents));
        Assert.Equal(expected.Select(Label), Texts(Raw("label")));
        Assert.Equal([3, 2], answer.Outputs.Single(output => output.Name == "probabilities").Shape);
        Assert.Equal(expected.Select(p => (float)p!["labels"]![0]!["probability"]!),
            Raw("probability").Chunk(4).Select(bytes => BinaryPrimitives.ReadSingleLittleEndian(bytes)), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(expected.Select(p => (bool)p!["unknown"]!), Raw("unknown").Select(flag => flag == 1));

        byte[] Raw(string name) =>
            answer.RawOutputContents[answer.Outputs.IndexOf(answer.Outputs.Single(output => output.Name == name))].ToByteArray();
    }

    [Fact]
    public async Task Typed_contents_get_typed_answers_and_only_the_wanted_outputs()
    {
        var files = Request("BYTES", [1]);
        files.Inputs[0].Contents = new() { BytesContents = { ByteString.CopyFrom(Pets.Cat) } };
        files.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "label" });
        using var photograph = NetVips.Image.NewFromBuffer(Pets.Cat).ThumbnailImage(240).Colourspace(NetVips.Enums.Interpretation.Srgb);
        var pixels = Request("UINT8", [photograph.Height, photograph.Width, 3]);
        pixels.Inputs[0].Contents = new() { UintContents = { photograph.WriteToMemory<byte>().Select(value => (uint)value) } };
        pixels.ModelVersion = "1";

        var named = await _client.ModelInferAsync(files, Keyed);
        var whole = await _client.ModelInferAsync(pixels, Keyed);

        Assert.Equal("cats", named.Outputs.Single().Contents.BytesContents.Single().ToStringUtf8());
        Assert.Empty(named.RawOutputContents);
        Assert.Equal("cats", whole.Outputs[0].Contents.BytesContents.Single().ToStringUtf8());
        Assert.Equal(1, whole.Outputs[2].Contents.Fp32Contents.Sum(), 1e-4f);
        Assert.Equal([false], whole.Outputs[3].Contents.BoolContents);
    }

    [Fact]
    public async Task What_is_refused_has_the_status_of_gRPC_and_the_sentence_of_the_API()
    {
        var stranger = await RefusedAsync(Ask(null), StatusCode.Unauthenticated);
        Assert.Contains("needs an API key", stranger);
        Assert.Contains("no model \"nothing\"",
            await RefusedAsync(_client.ModelMetadataAsync(new() { Name = "nothing" }, Keyed), StatusCode.NotFound));
        await RefusedAsync(_client.ModelReadyAsync(new() { Name = Id, Version = "7" }, Keyed), StatusCode.NotFound);
        Assert.Contains("one input named \"image\"",
            await RefusedAsync(_client.ModelInferAsync(new() { ModelName = Id }, Keyed), StatusCode.InvalidArgument));
        var large = Request("UINT8", [1, 1, 3]);
        large.Inputs[0].Contents = new() { UintContents = { 1, 2, 256 } };
        Assert.Contains("0 to 255", await RefusedAsync(_client.ModelInferAsync(large, Keyed), StatusCode.InvalidArgument));
        var broken = Request("BYTES", [1]);
        broken.RawInputContents.Add(ByteString.CopyFrom(9, 0, 0, 0, 1));
        Assert.Contains("4 bytes", await RefusedAsync(_client.ModelInferAsync(broken, Keyed), StatusCode.InvalidArgument));
        await RefusedAsync(_client.ModelMetadataAsync(new() { Name = "a\0b" }, Keyed), StatusCode.InvalidArgument);

        using var reader = await _host.ClientWithScopesAsync("read");
        Assert.Contains("scope predict", await RefusedAsync(Ask(reader), StatusCode.PermissionDenied));
        using var other = await _host.OtherAccountAsync();
        await RefusedAsync(Ask(other), StatusCode.NotFound);

        AsyncUnaryCall<ModelInferResponse> Ask(HttpClient? caller) => _client.ModelInferAsync(Request("BYTES", [1]), new CallOptions(
            caller is null ? null : new() { { "authorization", caller.DefaultRequestHeaders.Authorization!.ToString() } },
            cancellationToken: Api.Cancel));
    }

    [Fact]
    public async Task Methods_that_are_not_there_and_compressed_messages_are_unimplemented()
    {
        var elsewhere = new Method<ModelReadyRequest, ModelReadyResponse>(MethodType.Unary, "inference.GRPCInferenceService", "Trace",
            Marshallers.Create(message => message.ToByteArray(), ModelReadyRequest.Parser.ParseFrom),
            Marshallers.Create(message => message.ToByteArray(), ModelReadyResponse.Parser.ParseFrom));
        await RefusedAsync(_channel.CreateCallInvoker().AsyncUnaryCall(elsewhere, null, Keyed, new()), StatusCode.Unimplemented);

        var packed = new Metadata { _key[0], { "grpc-internal-encoding-request", "gzip" } };
        var options = new CallOptions(packed, cancellationToken: Api.Cancel);
        await RefusedAsync(_client.ModelReadyAsync(new() { Name = Id }, options), StatusCode.Unimplemented);
    }

    /// <summary>What another library makes of HTTP/2, of trailers and of texts that are not ASCII, with the .proto file as it is.</summary>
    [Fact]
    public async Task The_client_for_Node_makes_every_call()
    {
        Needs.Programs("node", "npm");
        var folder = await NpmFolder.InstalledAsync(
            Repository.PathOf("tests", "Headstart.Tests", "OpenInference", "NodeClient"), "grpc-client");

        var answers = await UserProgram.RunAsync(folder, "node", "client.mjs",
            Repository.PathOf("src", "Headstart", "OpenInference", "open_inference_grpc.proto"), _host.Address.Authority, TestHost.Key, Id,
            Pets.Cats[0]);

        Assert.Equal(["live true ready true", "headstart ready true", "label probability probabilities unknown", "TYPE_STRING", "READY",
            "7 cats", "cats", "5 There is no model \"größer\" in your account.",
            "16 This endpoint needs an API key: send Authorization: Bearer KEY, or HTTP Basic with the key as user name."],
            answers.Trim().Split('\n'));
    }

    /// <summary>With the very sample of docs/operating.md, beside the same host's HTTP/1.1.</summary>
    [Fact]
    public async Task Through_nginx_it_is_the_same()
    {
        Needs.Programs("nginx");
        var sample = Sample().Match(await File.ReadAllTextAsync(Repository.PathOf("docs", "operating.md"), Api.Cancel));
        var port = HostProcess.FreePort();
        await using var nginx = await Nginx.StartAsync(Nginx.Configuration($$"""
            upstream headstart { server web-1:8080; keepalive 16; }
            {{sample.Groups["upstream"].Value.Replace("127.0.0.1:8080", "web-2:8080", StringComparison.Ordinal)}}
            server {
                listen 8080;
                location / { proxy_pass http://headstart; proxy_http_version 1.1; proxy_set_header Connection ""; }
            }
            server {
                listen 127.0.0.1:{{port}} http2;
                {{sample.Groups["location"].Value}}
            }
            """), _host.Address, _host.Address);
        using var http = new HttpClient { BaseAddress = nginx.Address };
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        var request = Request("BYTES", [1]);
        request.RawInputContents.Add(ByteString.CopyFrom([.. Length(Pets.Cat.Length), .. Pets.Cat]));

        foreach (var _ in Enumerable.Range(0, 3))
        {
            Assert.Equal("live", (string?)(await http.GetJsonAsync("/health/live"))["status"]);
            Assert.Equal(["cats"], Texts((await client.ModelInferAsync(request, Keyed)).RawOutputContents[0].ToByteArray()));
        }

        Assert.Contains("no model \"größer\"",
            await RefusedAsync(client.ModelReadyAsync(new() { Name = "größer" }, Keyed), StatusCode.NotFound));
    }

    [GeneratedRegex(@"# for gRPC, in http \{ \}\n(?<upstream>.+?)# for gRPC, in server [^\n]+\n(?<location>.+?)```",
        RegexOptions.Singleline)]
    private static partial Regex Sample();

    private ModelInferRequest Request(string datatype, IEnumerable<long> shape) => new()
    {
        ModelName = Id,
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "image", Datatype = datatype, Shape = { shape } } },
    };

    private static async Task<string> RefusedAsync<T>(AsyncUnaryCall<T> call, StatusCode status)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(status, refusal.StatusCode);
        return refusal.Status.Detail;
    }

    private static string? Label(JsonNode? prediction) => (string?)prediction!["labels"]![0]!["label"];

    private static List<string> Texts(byte[] raw)
    {
        var texts = new List<string>();
        for (var at = 0; at < raw.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(raw.AsSpan(at));
            texts.Add(Encoding.UTF8.GetString(raw, at + 4, length));
            at += 4 + length;
        }

        return texts;
    }

    private static byte[] Length(int length)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        return bytes;
    }
}
