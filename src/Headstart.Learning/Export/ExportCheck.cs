using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;
using Headstart.Learning.Onnx;
using Microsoft.ML.OnnxRuntime;
using NetVips;

namespace Headstart.Learning.Export;

/// <summary>Compares the answers of an exported model and of its parts for one test image.</summary>
internal static class ExportCheck
{
    /// <summary>Share of the probability that may differ. In wrongly assembled networks most of it does.</summary>
    private const float Tolerance = 0.1f;

    /// <exception cref="OnnxModelException">The model cannot be opened or answers differently.</exception>
    public static void Run(byte[] model, FeatureRecipe recipe, Head head)
    {
        var side = recipe.Backbones.Max(backbone => backbone.Manifest.Preprocessing.Size); // so that the image is hardly resized
        var pixels = Picture(side);
        var expected = head.Probabilities(recipe.Extract(Png(pixels, side)));
        var answer = Loaded(model, session => Ask(session, pixels, side));
        if (answer.Length != expected.Length || !(answer.Zip(expected, (a, b) => MathF.Abs(a - b))
            .Sum() < Tolerance * Math.Max(1, expected.Sum())))
        {
            throw new OnnxModelException("the combined model gives different results than its networks alone.");
        }
    }

    /// <exception cref="OnnxModelException">The model cannot be opened.</exception>
    public static void Load(byte[] model) => Loaded(model, _ => true);

    private static T Loaded<T>(byte[] model, Func<InferenceSession, T> use)
    {
        using var options = OnnxRuntime.Options(threads: 1);
        options.LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
        try
        {
            using var session = new InferenceSession(model, options);
            return use(session);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new OnnxModelException("ONNX Runtime cannot load the exported model "
                + $"({exception.Message.TrimEnd('.', '\n')}).", exception);
        }
    }

    private static float[] Ask(InferenceSession session, byte[] pixels, int side)
    {
        using var run = new RunOptions();
        using var image = OrtValue.CreateTensorValueFromMemory(pixels, [side, side, 3]);
        using var answer = session.Run(run, [ModelExport.Image], [image], [ModelExport.Probabilities]);
        return answer[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <summary>Coloured rings: details of every size, and smooth enough that the last digit of resizing does not matter.</summary>
    private static byte[] Picture(int side)
    {
        var pixels = new byte[side * side * 3];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (y, x, colour) = (i / 3 / side, i / 3 % side, i % 3);
            var distance = Math.Sqrt((x - side / 3) * (x - side / 3) + (y - side / 2) * (y - side / 2));
            pixels[i] = (byte)(127.5 + 127 * Math.Sin(distance / (6 + 5 * colour) + colour));
        }

        return pixels;
    }

    private static byte[] Png(byte[] pixels, int side)
    {
        VipsRuntime.EnsureLoaded();
        using var image = NetVips.Image.NewFromMemory(pixels, side, side, 3, Enums.BandFormat.Uchar);
        using var srgb = image.Copy(interpretation: Enums.Interpretation.Srgb);
        return srgb.PngsaveBuffer();
    }
}
