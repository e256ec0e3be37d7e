using System.Security.Cryptography;
using Headstart.Learning.Native;
using Headstart.Learning.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Backbones;

/// <summary>Checks whether a network of unknown origin turns images into features. It runs the network, so call it in a process of its own:
/// a file may be made to crash ONNX Runtime, fill the memory or never end, and only there can its memory be measured.</summary>
public static class BackboneCheck
{
    /// <summary>Classifiers do not use larger images, and memory grows with the square of the side.</summary>
    private const int LargestSide = 1_024;

    private static readonly float[] ImageNetMean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] ImageNetStd = [0.229f, 0.224f, 0.225f];

    /// <summary>The manifest of the network in the file.</summary>
    /// <exception cref="BackboneException">It cannot be used; the message is a sentence that says why and what to do.</exception>
    public static BackboneManifest Run(string path, BackboneDescription given)
    {
        ArgumentNullException.ThrowIfNull(given);
        try
        {
            var (sha256, bytes) = Identify(path);
            var known = Catalogue.Find(sha256)?.Manifest;
            var reading = given.ReadingOf(known);
            var graph = OnnxGraph.Read(path, reading);
            var size = Side(graph, given.Size ?? (graph.InputShape is [_, _, > 0, > 0] ? null : known?.Preprocessing.Size));
            // a named output is used unchanged: of an image-text pair its last layer belongs to the features
            var at = reading is { Output: null, Pooling: Pooling.None } ? graph.FindFeatures() : graph.OutputFeatures();
            var (features, memory) = Measure(graph.Cut(at), size);
            return new ManifestJson(
                given.Id ?? known?.Id ?? BackboneDescription.IdOf(Path.GetFileNameWithoutExtension(given.FileName)),
                given.Family ?? known?.Family, features, size,
                [.. given.Mean ?? known?.Preprocessing.Mean ?? ImageNetMean], [.. given.Std ?? known?.Preprocessing.Std ?? ImageNetStd],
                known?.PublishedAccuracy, given.Source ?? known?.Source ?? $"the file {given.FileName}",
                given.Licence ?? known?.Licence ?? "unknown",
                sha256, bytes, Classifier: at.Classifier || at.Pool, Math.Round(memory / 1e6, 1),
                Output: reading.Output, Pooling: reading.Pooling, Channels: reading.Channels, Space: given.Space ?? known?.Space)
                .ToManifest();
        }
        catch (Exception exception) when (exception is OnnxModelException or OnnxRuntimeException or BackboneException or IOException
            or UnauthorizedAccessException)
        {
            throw new BackboneException($"{given.FileName} cannot be used as a backbone: {Short(exception.Message)}.", exception);
        }
    }

    private static (string Sha256, long Bytes) Identify(string path)
    {
        using var stream = File.OpenRead(path);
        return (Convert.ToHexStringLower(SHA256.HashData(stream)), stream.Length);
    }

    private static int Side(OnnxGraph graph, int? given)
    {
        var shape = graph.InputShape;
        var text = shape is null ? "not declared" : $"[{string.Join(", ", shape)}]";
        if (shape is [_, > 3, > 3, 3])
        {
            throw new BackboneException($"its input is {text}, with colour channels last; export it with channels first, [n, 3, S, S]");
        }

        if (shape is not [< 0 or 0 or 1, < 0 or 3, var height, var width] || height != width)
        {
            throw new BackboneException($"its input has shape {text}, but [n, 3, S, S] is required, with n dynamic or 1");
        }

        if (!graph.InputIsFloat)
        {
            throw new BackboneException("its input is not float32; export it with a float32 input");
        }

        var side = height > 0 ? height : given ?? throw new BackboneException(
            "the file does not fix its input size; give it in 'size' (the side in pixels that it was trained with, usually 224)");
        return side is < 8 or > LargestSide ? throw new BackboneException($"its input images have {side} pixels per side; 8 to "
            + $"{LargestSide} are supported")
            : given is not null && given != side ? throw new BackboneException($"'size' is {given}, but the file says {side}; omit 'size'")
            : (int)side;
    }

    /// <returns>Length of its feature vectors, and the bytes by which this process grew during extraction.</returns>
    private static (int Features, long Memory) Measure(byte[] network, int size)
    {
        using var options = OnnxRuntime.Options(threads: 1);
        options.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
        using var session = new InferenceSession(network, options);
        float[][] images = [new float[3 * size * size], Noise(size, 1), Noise(size, 2), Noise(size, 1)];
        ProcessMemory.Trim();
        ProcessMemory.ForgetPeak();
        var before = ProcessMemory.Resident;
        var features = Array.ConvertAll(images, image => Features(session, image, size));
        var peak = ProcessMemory.Peak;
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (peak > available / 2)
        {
            throw new BackboneException(
                $"it takes {peak / 1e6:0} MB of memory, more than half of the {available / 1e6:0} MB of this machine");
        }

        if (!features.All(f => f.All(float.IsFinite)))
        {
            throw new BackboneException("its features are not finite numbers");
        }

        if (Alike(features[0], features[1]) || Alike(features[1], features[2]))
        {
            throw new BackboneException("its features are the same for every image; are its weights trained?");
        }

        return Alike(features[1], features[3]) ? (features[0].Length, Math.Max(0, peak - before))
            : throw new BackboneException("its features for the same image vary; export it for inference, not for training");
    }

    private static float[] Features(InferenceSession session, float[] image, int size)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(image, [1, 3, size, size]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return outputs[0].GetTensorTypeAndShape().ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float
            ? outputs[0].GetTensorDataAsSpan<float>().ToArray() : throw new BackboneException("its features are not float32 numbers");
    }

    private static float[] Noise(int size, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 3 * size * size).Select(_ => 4 * random.NextSingle() - 2)];
    }

    /// <summary>Equal except for rounding.</summary>
    private static bool Alike(float[] one, float[] other) =>
        one.Length == other.Length && one.Zip(other)
            .All(pair => Math.Abs(pair.First - pair.Second) <= 1e-5f * Math.Max(1e-3f, Math.Abs(pair.First)));

    /// <summary>Shortens messages of ONNX Runtime, which can be pages long.</summary>
    private static string Short(string message)
    {
        var line = message.Split('\n')[0].Trim();
        return (line.Length <= 300 ? line : line[..300] + "…").TrimEnd('.');
    }
}
