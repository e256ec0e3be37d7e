using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Headstart.OpenInference;

/// <summary>An element of the input: a text in UTF-8, an image as a file, or its pixels.</summary>
/// <param name="File">The text or file; null if there are pixels.</param>
/// <param name="Pixels"><c>[Height, Width, 3]</c>.</param>
internal sealed record InferElement(byte[]? File, ReadOnlyMemory<byte> Pixels = default, int Width = 0, int Height = 0);

/// <summary>Reads the images or texts of an inference request: JSON, or JSON followed by binary tensors.</summary>
/// <param name="settings">Limits for one request.</param>
/// <param name="texts">Whether the model classifies texts.</param>
internal sealed class RequestReader(Settings settings, bool texts)
{
    private const int Files = 4; // files of the largest size in one body, which is held in memory
    private const int WordsBytes = 1 << 16; // of JSON beside one file

    /// <summary>The name of the input.</summary>
    public static string Input(bool texts) => texts ? "text" : "image";

    /// <summary>Limit for the body, in bytes.</summary>
    public static long MaxBytes(Settings settings) => (long)Files * settings.Uploads.MaxFileBytes;

    /// <summary>Limit for the JSON, in bytes: one file of the largest size in base64. In memory it takes several times as much.</summary>
    private long MaxJsonBytes => Math.Min(MaxBytes(settings), settings.Uploads.MaxFileBytes / 3 * 4L + WordsBytes);

    /// <returns>The request with its images or texts, or why it is refused.</returns>
    public async Task<(InferRequest? Request, IReadOnlyList<InferElement> Elements, string? Error)> ReadAsync(HttpRequest http,
        CancellationToken cancel)
    {
        var length = int.MaxValue;
        var hasLength = http.Headers.TryGetValue("Inference-Header-Content-Length", out var header);
        if (hasLength && !int.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out length))
        {
            return WrongLength();
        }

        if (hasLength && length > MaxJsonBytes)
        {
            return TooMuchJson();
        }

        var most = hasLength ? MaxBytes(settings) : MaxJsonBytes;
        if (await RequestBodies.ReadToEndAsync(http.Body, (int)Math.Min(int.MaxValue, most), cancel) is not { } body)
        {
            return !hasLength ? TooMuchJson()
                : Wrong($"The body is larger than {most:N0} bytes; send fewer {Input(texts)}s at a time.");
        }

        if (hasLength && length > body.Length)
        {
            return WrongLength();
        }

        length = Math.Min(length, body.Length);

        if (length == 0 && body.Length > 0)
        {
            return Whole(body); // Triton's raw binary request
        }

        try
        {
            var json = body.AsSpan(0, length);
            json = json.StartsWith("\uFEFF"u8) ? json[3..] : json;
            return JsonSerializer.Deserialize<InferRequest>(json, Json.Options) is { } request
                ? Read(request, body.AsMemory(length)) : Wrong("The body is null; send a JSON object with inputs.");
        }
        catch (JsonException e)
        {
            return Wrong($"{UnreadableRequests.Sentence(e)} If the whole body is one {Input(texts)}, say so with "
                + "Inference-Header-Content-Length: 0.");
        }
    }

    /// <summary>The extension "raw binary request" of Triton: without JSON, the whole body is the one element of the one input.</summary>
    private static (InferRequest?, IReadOnlyList<InferElement>, string?) Whole(byte[] body) =>
        (new InferRequest(null, [], null), [new(body)], null);

    /// <param name="request">Its input has its data in JSON, or says how much of the binary part belongs to it.</param>
    /// <param name="binary">The bytes after the JSON.</param>
    /// <returns>The request with its images or texts, or why it is refused.</returns>
    public (InferRequest? Request, IReadOnlyList<InferElement> Elements, string? Error) Read(
        InferRequest request, ReadOnlyMemory<byte> binary)
    {
        if (request.Outputs?.Contains(null!) is true)
        {
            return Wrong("An output is null; give it a name.");
        }

        if (request.Inputs is not [{ Shape: { Count: > 0 } shape } tensor] || tensor.Name != Input(texts))
        {
            return Wrong($"Send one input named \"{Input(texts)}\" with its shape.");
        }

        if (shape.Any(side => side is < 1 or > int.MaxValue)
            || (tensor.Parameters?.BinaryDataSize is { } size && (size < 0 || size > binary.Length)))
        {
            return Wrong("A size in the shape is not positive, or binary_data_size is larger than the data after the JSON.");
        }

        var raw = tensor.Parameters?.BinaryDataSize is { } bytes ? binary[..(int)bytes] : (ReadOnlyMemory<byte>?)null;
        if (raw is null && tensor.Data is null)
        {
            return Wrong("The input has no data.");
        }

        var (images, error) = (tensor.Datatype, shape) switch
        {
            ("BYTES", [_] or [_, 1]) => raw is { } elements ? Elements(elements, shape[0]) : Strings(tensor.Data!.Value, shape[0]),
            _ when texts => ([], "The input must be BYTES [n], texts in UTF-8."),
            ("UINT8", [var h, var w, 3]) => Pixels(raw, tensor.Data, 1, (int)h, (int)w),
            ("UINT8", [var n, var h, var w, 3]) => Pixels(raw, tensor.Data, (int)n, (int)h, (int)w),
            _ => ([], "The input must be BYTES [n], image files (in JSON as base64), or UINT8 [h, w, 3] or [n, h, w, 3], pixels in red, "
                + "green and blue."),
        };
        return error is null ? (request, images, null) : Wrong(error);
    }

    private (IReadOnlyList<InferElement>, string?) Elements(ReadOnlyMemory<byte> binary, long n)
    {
        var elements = new List<byte[]>();
        for (var rest = binary; rest.Length > 0;)
        {
            if (rest.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(rest.Span) is var length && length > rest.Length - 4)
            {
                return ([], "Binary BYTES must contain, for each element, its length (4 bytes, little-endian) and then the element.");
            }

            elements.Add(rest.Slice(4, (int)length).ToArray());
            rest = rest[(4 + (int)length)..];
        }

        return Limited(elements, n);
    }

    private (IReadOnlyList<InferElement>, string?) Strings(JsonElement data, long n)
    {
        var elements = new List<byte[]>();
        foreach (var element in Flat(data))
        {
            if (Bytes(element) is not { } bytes)
            {
                return ([], $"Element {elements.Count} of the input is not a {(texts ? "valid Unicode string" : "file in base64")}.");
            }

            elements.Add(bytes);
        }

        return Limited(elements, n);
    }

    private byte[]? Bytes(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String || !texts)
        {
            return element.ValueKind == JsonValueKind.String && element.TryGetBytesFromBase64(out var file) ? file : null;
        }

        try
        {
            return Encoding.UTF8.GetBytes(element.GetString()!);
        }
        catch (InvalidOperationException) // half of a surrogate pair
        {
            return null;
        }
    }

    private (IReadOnlyList<InferElement>, string?) Pixels(ReadOnlyMemory<byte>? binary, JsonElement? data, int n, int height, int width)
    {
        var each = 3L * height * width;
        if ((long)height * width > settings.Uploads.MaxPixels || n > settings.Predictions.MaxFiles)
        {
            return ([], $"One request may contain {settings.Predictions.MaxFiles} images of {settings.Uploads.MaxPixels:N0} pixels each.");
        }

        if (binary is not { } pixels)
        {
            var values = new List<byte>();
            foreach (var element in Flat(data!.Value))
            {
                if (element.ValueKind != JsonValueKind.Number || !element.TryGetByte(out var value))
                {
                    return ([], "An element of UINT8 is not a number from 0 to 255.");
                }

                values.Add(value);
            }

            pixels = values.ToArray();
        }

        return pixels.Length != n * each ? ([], $"{n} images of {height} x {width} pixels take {n * each} values, not {pixels.Length}.")
            : ([.. Enumerable.Range(0, n).Select(i => new InferElement(null, pixels.Slice((int)(i * each), (int)each), width, height))],
                null);
    }

    private (IReadOnlyList<InferElement>, string?) Limited(List<byte[]> elements, long n)
    {
        var most = texts ? settings.Predictions.MaxTexts : settings.Predictions.MaxFiles;
        return elements.Count != n ? ([], $"The shape says {n} {Input(texts)}s, but the data contains {elements.Count}.")
            : n > most ? ([], $"One request may contain {most} {Input(texts)}s; send the rest in another request.")
            : (elements.ConvertAll(element => new InferElement(element)), null);
    }

    /// <summary>Elements may be nested like the shape or flat.</summary>
    private static IEnumerable<JsonElement> Flat(JsonElement data) =>
        data.ValueKind == JsonValueKind.Array ? data.EnumerateArray().SelectMany(Flat) : [data];

    private (InferRequest?, IReadOnlyList<InferElement>, string?) TooMuchJson() => Wrong($"The JSON is larger than {MaxJsonBytes:N0} "
        + $"bytes; send fewer {Input(texts)}s at a time, or send them as binary data after the JSON (binary_data_size and the header "
        + "Inference-Header-Content-Length).");

    private static (InferRequest?, IReadOnlyList<InferElement>, string?) WrongLength() =>
        Wrong("Inference-Header-Content-Length must be the length in bytes of the JSON at the beginning of the body.");

    private static (InferRequest?, IReadOnlyList<InferElement>, string?) Wrong(string error) => (null, [], error);
}
