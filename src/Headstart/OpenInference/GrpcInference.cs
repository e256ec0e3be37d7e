using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Headstart.Access;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Inference;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.OpenInference;

/// <summary>The protocol over gRPC. It only converts messages; the handlers are those of <see cref="OpenInferenceApi"/>.</summary>
internal sealed class GrpcInference(HeadstartDb db, NamedVersions versions, TensorAnswers answers, Settings settings,
    LoadedBackbones loaded, BlobHealth blobs, IHostApplicationLifetime lifetime) : GRPCInferenceService.GRPCInferenceServiceBase
{
    private const int MoreThanTensors = 1 << 16; // names, shapes and the frame of a message, in bytes

    public static void Configure(GrpcServiceOptions grpc, Settings settings)
    {
        grpc.MaxReceiveMessageSize = (int)Math.Min(int.MaxValue, RequestReader.MaxBytes(settings) + MoreThanTensors);
        grpc.MaxSendMessageSize = null;
        grpc.IgnoreUnknownServices = true; // answered like any other path without an endpoint
        grpc.CompressionProviders = []; // the package's providers decompress without a limit
        grpc.Interceptors.Add<GrpcErrors>();
    }

    /// <summary>Scopes, quotas and limits equal those of the same operations over HTTP.</summary>
    public static void Map(IEndpointRouteBuilder app, Settings settings)
    {
        var largest = new RequestSizeLimitAttribute(RequestReader.MaxBytes(settings) + (2 * MoreThanTensors));
        app.MapGrpcService<GrpcInference>().Add(endpoint =>
        {
            var method = endpoint.Metadata.OfType<GrpcMethodMetadata>().Single().Method.Name;
            if (method is nameof(ServerLive) or nameof(ServerReady) or nameof(ServerMetadata))
            {
                endpoint.Metadata.Add(new AllowAnonymousAttribute());
                endpoint.Metadata.Add(new Microsoft.AspNetCore.RateLimiting.DisableRateLimitingAttribute());
                return;
            }

            endpoint.Metadata.Add(new AuthorizeAttribute(Scopes.Name(method == nameof(ModelInfer) ? Scope.Predict : Scope.Read)));
            if (method == nameof(ModelInfer))
            {
                endpoint.Metadata.Add(new Spends(Quota.PredictionsPerDay));
                endpoint.Metadata.Add(largest);
            }
        });
    }

    public override Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerLiveResponse { Live = true });

    public override async Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context) =>
        new() { Ready = (await OpenInferenceApi.Ready(db, loaded, blobs, lifetime, context.CancellationToken)).Result is Ok<ServerReady> };

    public override Task<ServerMetadataResponse> ServerMetadata(ServerMetadataRequest request, ServerCallContext context)
    {
        var server = OpenInferenceApi.Server;
        return Task.FromResult(new ServerMetadataResponse { Name = server.Name, Version = server.Version });
    }

    public override async Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context)
    {
        var ready = await OpenInferenceApi.IsReady(request.Name, request.Version, context.GetHttpContext(), versions,
            context.CancellationToken);
        return new()
        {
            // A model that cannot predict yet is an answer to this question; one that does not exist is an error.
            Ready = ready.Result is not JsonHttpResult<InferError> { StatusCode: StatusCodes.Status409Conflict }
                && Value<ModelReady>(ready).Ready,
        };
    }

    public override async Task<ModelMetadataResponse> ModelMetadata(ModelMetadataRequest request, ServerCallContext context)
    {
        var metadata = Value<ModelMetadata>(await OpenInferenceApi.Metadata(request.Name, request.Version, context.GetHttpContext(), db,
            versions, context.CancellationToken));
        return new()
        {
            Name = metadata.Name,
            Versions = { metadata.Versions },
            Platform = metadata.Platform,
            Inputs = { metadata.Inputs.Select(Tensor) },
            Outputs = { metadata.Outputs.Select(Tensor) },
        };

        static ModelMetadataResponse.Types.TensorMetadata Tensor(TensorMetadata tensor) =>
            new() { Name = tensor.Name, Datatype = tensor.Datatype, Shape = { tensor.Shape } };
    }

    public override async Task<ModelConfigResponse> ModelConfig(ModelConfigRequest request, ServerCallContext context)
    {
        var config = Value<ModelConfig>(await OpenInferenceApi.Config(request.Name, request.Version, context.GetHttpContext(), db,
            versions, context.CancellationToken));
        return new()
        {
            // Triton writes its JSON from this same message.
            Config = JsonParser.Default.Parse<Inference.ModelConfig>(System.Text.Json.JsonSerializer.Serialize(config, Json.Options)),
        };
    }

    public override async Task<RepositoryIndexResponse> RepositoryIndex(RepositoryIndexRequest request, ServerCallContext context)
    {
        var index = await OpenInferenceApi.Index(new(request.Ready), context.GetHttpContext(), db, context.CancellationToken);
        return new()
        {
            Models =
            {
                index.Value!.Select(model => new RepositoryIndexResponse.Types.ModelIndex
                {
                    Name = model.Name,
                    Version = model.Version ?? "",
                    State = model.State,
                    Reason = model.Reason,
                }),
            },
        };
    }

    public override async Task<ModelInferResponse> ModelInfer(ModelInferRequest request, ServerCallContext context)
    {
        var http = context.GetHttpContext();
        var found = await versions.FindAsync(http.User, request.ModelName, request.ModelVersion, context.CancellationToken);
        if (found.Error is { } error)
        {
            throw Refused(error);
        }

        var binary = Binary(request);
        var (read, elements, wrong) = new RequestReader(settings, found.Served!.ReadsTexts).Read(new(
            request.Id.Length > 0 ? request.Id : null,
            [.. request.Inputs.Select(input => new RequestTensor(input.Name, input.Datatype, input.Shape, null, new(binary.Length)))],
            [.. request.Outputs.Select(output => new RequestedOutput(output.Name))]), binary);
        if (read is null)
        {
            throw GrpcErrors.Of(StatusCodes.Status400BadRequest, wrong!);
        }

        var answer = Value<InferResponse>(await answers.AnswerAsync(http, found, read, elements, context.CancellationToken));
        return Response(answer, raw: request.RawInputContents.Count > 0);
    }

    /// <summary>The single input in raw form, from which both forms are read.</summary>
    private static ReadOnlyMemory<byte> Binary(ModelInferRequest request)
    {
        if (request.RawInputContents is [var raw, ..])
        {
            return raw.Memory;
        }

        var contents = request.Inputs.FirstOrDefault()?.Contents ?? new();
        if (contents.UintContents.Any(value => value > byte.MaxValue))
        {
            throw GrpcErrors.Of(StatusCodes.Status400BadRequest, "An element of UINT8 is not a number from 0 to 255.");
        }

        using var binary = new MemoryStream(contents.BytesContents.Sum(element => sizeof(uint) + element.Length)
            + contents.UintContents.Count);
        Span<byte> length = stackalloc byte[sizeof(uint)];
        foreach (var element in contents.BytesContents)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)element.Length);
            binary.Write(length);
            binary.Write(element.Span);
        }

        binary.Write([.. contents.UintContents.Select(value => (byte)value)]);
        return binary.GetBuffer().AsMemory(0, (int)binary.Length);
    }

    /// <param name="answer">The same as over HTTP.</param>
    /// <param name="raw">Whether the input was raw: clients that send raw contents read nothing else.</param>
    private static ModelInferResponse Response(InferResponse answer, bool raw)
    {
        var response = new ModelInferResponse { ModelName = answer.ModelName, ModelVersion = answer.ModelVersion, Id = answer.Id ?? "" };
        foreach (var output in answer.Outputs)
        {
            response.Outputs.Add(new ModelInferResponse.Types.InferOutputTensor
            {
                Name = output.Name,
                Datatype = output.Datatype,
                Shape = { output.Shape },
                Contents = raw ? null : Contents(output.Data),
            });
            if (raw)
            {
                response.RawOutputContents.Add(Raw(output.Data));
            }
        }

        return response;
    }

    private static InferTensorContents Contents(object data) => data switch
    {
        float[] numbers => new() { Fp32Contents = { numbers } },
        bool[] flags => new() { BoolContents = { flags } },
        int[] indices => new() { IntContents = { indices } },
        _ => new() { BytesContents = { ((string[])data).Select(ByteString.CopyFromUtf8) } },
    };

    private static ByteString Raw(object data) => data switch
    {
        float[] numbers => ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(numbers)), // little-endian on all supported systems
        bool[] flags => ByteString.CopyFrom(MemoryMarshal.AsBytes<bool>(flags)),
        int[] indices => ByteString.CopyFrom(MemoryMarshal.AsBytes<int>(indices)),
        _ => ByteString.CopyFrom([.. ((string[])data).Select(Encoding.UTF8.GetBytes)
            .SelectMany(text => BitConverter.GetBytes(text.Length).Concat(text))]),
    };

    private static T Value<T>(INestedHttpResult results) => results.Result switch
    {
        Ok<T> ok => ok.Value!,
        var refusal => throw Refused((JsonHttpResult<InferError>)refusal),
    };

    private static RpcException Refused(JsonHttpResult<InferError> refusal) =>
        GrpcErrors.Of(refusal.StatusCode ?? StatusCodes.Status500InternalServerError, refusal.Value!.Error);
}
