using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Headstart.OpenInference;

/// <summary>Name, version and extensions of the server.</summary>
/// <param name="Extensions">What the server supports beyond the protocol: <c>binary_tensor_data</c>.</param>
public sealed record ServerMetadata(string Name, string Version, IReadOnlyList<string> Extensions);

public sealed record ServerLive(bool Live);

public sealed record ServerReady(bool Ready);

public sealed record ModelReady(string Name, bool Ready);

/// <param name="Name">The model's id or name, as requested.</param>
/// <param name="Versions">Version numbers, newest first.</param>
/// <param name="Parameters">The model's labels, in the order of <c>probabilities</c>.</param>
public sealed record ModelMetadata(
    string Name, IReadOnlyList<string> Versions, string Platform, IReadOnlyList<TensorMetadata> Inputs,
    IReadOnlyList<TensorMetadata> Outputs, ModelParameters Parameters);

public sealed record ModelParameters(IReadOnlyList<string> Labels);

/// <param name="Shape">-1 for any size.</param>
public sealed record TensorMetadata(string Name, string Datatype, IReadOnlyList<long> Shape);

/// <summary>Triton's description of a model, as far as it applies here.</summary>
/// <param name="Name">The model's id or name, as requested.</param>
/// <param name="MaxBatchSize">0, which means that <c>dims</c> include the batch.</param>
/// <param name="Parameters"><c>labels</c>: the model's labels, as a JSON array.</param>
public sealed record ModelConfig(
    string Name, string Platform, string Backend, [property: JsonPropertyName("max_batch_size")] int MaxBatchSize,
    IReadOnlyList<TensorConfig> Input, IReadOnlyList<TensorConfig> Output, IReadOnlyDictionary<string, ConfigParameter> Parameters);

/// <param name="DataType"><c>TYPE_STRING</c> is Triton's name for <c>BYTES</c>.</param>
/// <param name="Dims">-1 for any size.</param>
public sealed record TensorConfig(string Name, [property: JsonPropertyName("data_type")] string DataType, IReadOnlyList<long> Dims);

public sealed record ConfigParameter([property: JsonPropertyName("string_value")] string StringValue);

/// <param name="Ready">Only models that can predict.</param>
public sealed record IndexRequest(bool Ready = false);

/// <param name="Version">The published version, if there is one.</param>
/// <param name="State"><c>READY</c> or <c>UNAVAILABLE</c>.</param>
/// <param name="Reason">Why the model cannot predict; empty if it can.</param>
public sealed record IndexedModel(
    string Name, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Version, string State, string Reason);

/// <param name="Id">Returned in the answer.</param>
/// <param name="Outputs">The requested outputs; all by default.</param>
/// <param name="Parameters">Not used.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record InferRequest(
    string? Id, [property: Required] IReadOnlyList<RequestTensor>? Inputs, IReadOnlyList<RequestedOutput>? Outputs,
    IReadOnlyDictionary<string, JsonElement>? Parameters = null);

/// <param name="Name"><c>image</c>, or <c>text</c> for a text model.</param>
/// <param name="Datatype">
/// <c>BYTES</c>: files, in JSON as base64, in binary form each preceded by its length; texts as strings, or in UTF-8. <c>UINT8</c>: pixels
/// in red, green and blue, row by row.
/// </param>
/// <param name="Shape"><c>[n]</c> files or texts; <c>[h, w, 3]</c> or <c>[n, h, w, 3]</c> pixels.</param>
/// <param name="Data">The elements, nested or flat; absent in binary form.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record RequestTensor(
    [property: Required] string? Name, [property: Required] string? Datatype, [property: Required] IReadOnlyList<long>? Shape,
    JsonElement? Data, TensorParameters? Parameters);

/// <param name="BinaryDataSize">Number of bytes after the JSON that contain this tensor.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record TensorParameters([property: JsonPropertyName("binary_data_size")] long? BinaryDataSize);

/// <param name="Parameters">Not used: outputs are always JSON.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record RequestedOutput([property: Required] string? Name, IReadOnlyDictionary<string, JsonElement>? Parameters = null);

public sealed record InferResponse(
    [property: JsonPropertyName("model_name")] string ModelName, [property: JsonPropertyName("model_version")] string ModelVersion,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Id, IReadOnlyList<ResponseTensor> Outputs);

/// <param name="Data">The elements, flat.</param>
public sealed record ResponseTensor(string Name, string Datatype, IReadOnlyList<long> Shape, object Data);

public sealed record InferError(string Error);
