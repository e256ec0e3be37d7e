using System.Globalization;
using Headstart.Data;
using Headstart.Learning.Export;

namespace Headstart.Versions;

/// <summary>The README.md of an exported version. A test extracts its programs and runs them.</summary>
internal static class ExportReadme
{
    /// <summary>Labels may contain any character of a name, so they are shown as code.</summary>
    public static string Of(Model model, ModelVersion version, ServedClassifier served) => $$"""
        # {{Inline(model.Name)}}, version {{version.Number}}

        An image classifier exported from Headstart. `model.onnx` is self-contained: it takes the pixels of a
        photograph of any size and returns the prediction. Resizing, cropping and normalising are part of the model.

        | | |
        | --- | --- |
        | input `{{ModelExport.Image}}` | uint8 `[height, width, 3]`: red, green and blue from 0 to 255, row by row, upright, transparent parts on white |
        | output `{{ModelExport.Probabilities}}` | float32 `[{{served.Head.Labels.Count}}]`, in the order of `labels.txt`{{Sum(served)}} |
        | output `{{ModelExport.Nearness}}` | float32: how similar the image is to the training images, -1 to 1 |
        | output `{{ModelExport.Unknown}}` | bool: `{{ModelExport.Nearness}}` < {{Number(served.Known.Threshold)}}: no label may fit |

        It needs ONNX Runtime (operator set 18; tested with 1.30 and 1.31), in any language. Pass the whole photograph: resizing it first
        changes its pixels and may change the prediction. Convert photographs with another colour profile to sRGB first.
        Divide images of 16 bits by 257. Scale those that use few of these bits (X-rays), floats and signed numbers as the service does: the
        0.5th percentile becomes 0 and the 99.5th 255.
        The metadata of `model.onnx` contains the labels, thresholds and backbones as JSON.

        ## Labels

        {{string.Join('\n', served.Head.Labels.Select((label, i) => $"{i}. {Inline(label)}{Threshold(served, i)}"))}}

        ## Python

        `pip install onnxruntime pillow numpy`, then `python label.py photo.jpg`:

        ```python
        {{Python(served.Head.Thresholds)}}
        ```

        ## JavaScript

        `npm install onnxruntime-node sharp`, then `node label.mjs photo.jpg`:

        ```js
        {{JavaScript(served.Head.Thresholds)}}
        ```

        ## C#

        With .NET 10, `dotnet run label.cs photo.jpg` (on Windows `NetVips.Native.win-x64`, on a Mac `NetVips.Native.osx-arm64`):

        ```csharp
        {{CSharp(served.Head.Thresholds)}}
        ```

        ## What is inside

        {{string.Join('\n', served.Recipe.Backbones.Select(backbone => $"- {backbone.Manifest.Id}, {backbone.Manifest.Licence}: {Inline(backbone.Manifest.Source)}, SHA-256 `{backbone.Manifest.Sha256}`"))}}

        Model {{version.ModelId}}, trained {{version.CreatedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}} UTC. {{Accuracy(version)}}

        """;

    private static string Python(IReadOnlyList<float>? thresholds) => $$"""
        import sys
        import numpy as np
        import onnxruntime as ort
        from PIL import Image, ImageOps

        session = ort.InferenceSession("model.onnx")
        labels = open("labels.txt", encoding="utf-8").read().splitlines()
        photo = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGBA")
        image = np.asarray(Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB"))
        probabilities, unknown = session.run(["probabilities", "unknown"], {"image": image})
        {{(thresholds is null
            ? """
              best = probabilities.argmax()
              print("unknown" if unknown else labels[best], f"{probabilities[best]:.3f}")
              """
            : $$"""
              for label, probability, threshold in zip(labels, probabilities, [{{Numbers(thresholds)}}]):
                  if probability >= threshold:
                      print(label, f"{probability:.3f}")
              """)}}
        """;

    private static string JavaScript(IReadOnlyList<float>? thresholds) => $$"""
        import fs from 'node:fs';
        import * as ort from 'onnxruntime-node';
        import sharp from 'sharp';

        const session = await ort.InferenceSession.create('model.onnx');
        const labels = fs.readFileSync('labels.txt', 'utf8').trimEnd().split('\n');
        const photo = sharp(process.argv[2]).autoOrient().flatten({ background: 'white' }).toColourspace('srgb');
        const { data, info } = await photo.raw().toBuffer({ resolveWithObject: true });
        const image = new ort.Tensor('uint8', data, [info.height, info.width, 3]);
        const { probabilities, unknown } = await session.run({ image });
        {{(thresholds is null
            ? """
              const best = probabilities.data.indexOf(Math.max(...probabilities.data));
              console.log(unknown.data[0] ? 'unknown' : labels[best], probabilities.data[best].toFixed(3));
              """
            : $$"""
              const thresholds = [{{Numbers(thresholds)}}];
              probabilities.data.forEach((p, i) => { if (p >= thresholds[i]) console.log(labels[i], p.toFixed(3)); });
              """)}}
        """;

    private static string CSharp(IReadOnlyList<float>? thresholds) => $$"""
        #:package Microsoft.ML.OnnxRuntime@1.31.1
        #:package NetVips@3.2.0
        #:package NetVips.Native.linux-x64@8.18.7
        using Microsoft.ML.OnnxRuntime;
        using NetVips;

        using var session = new InferenceSession("model.onnx");
        var labels = File.ReadAllLines("labels.txt");
        using var photo = Image.NewFromFile(args[0]).Autorot().Colourspace(Enums.Interpretation.Srgb);
        using var rgb = photo.HasAlpha() ? photo.Flatten(background: [255, 255, 255]) : photo.Copy();
        using var image = OrtValue.CreateTensorValueFromMemory(rgb.WriteToMemory<byte>(), [rgb.Height, rgb.Width, 3]);
        using var answer = session.Run(new RunOptions(), ["image"], [image], ["probabilities", "unknown"]);
        var (probabilities, unknown) = (answer[0].GetTensorDataAsSpan<float>().ToArray(), answer[1].GetTensorDataAsSpan<bool>()[0]);
        {{(thresholds is null
            ? """
              var best = Array.IndexOf(probabilities, probabilities.Max());
              Console.WriteLine(FormattableString.Invariant($"{(unknown ? "unknown" : labels[best])} {probabilities[best]:0.000}"));
              """
            : $$"""
              float[] thresholds = [{{string.Join(", ", thresholds.Select(threshold => Number(threshold) + "f"))}}];
              foreach (var (i, p) in probabilities.Index().Where(label => label.Item >= thresholds[label.Index]))
                  Console.WriteLine(FormattableString.Invariant($"{labels[i]} {p:0.000}"));
              """)}}
        """;

    private static string Sum(ServedClassifier served) =>
        served.Head.Thresholds is null ? "; they add up to 1" : "; each label has its own probability and threshold";

    private static string Threshold(ServedClassifier served, int label) =>
        served.Head.Thresholds is { } thresholds ? $" (threshold {Number(thresholds[label])})" : "";

    // Markdown interprets nothing inside code if the fence is longer than any inside it.
    internal static string Inline(string text) => text.Contains('`', StringComparison.Ordinal) ? $"```` {text} ````" : $"`{text}`";

    internal static string Numbers(IReadOnlyList<float> values) => string.Join(", ", values.Select(value => Number(value)));

    internal static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    internal static string Accuracy(ModelVersion version, string measure = "Accuracy") =>
        version is { Accuracy: { } accuracy, AccuracyLow: { } low, AccuracyHigh: { } high }
            ? $"{measure} {Percent(accuracy)}\n({Percent(low)} to {Percent(high)} with 95 % certainty)."
            : "Its accuracy is unknown: the report says why.";

    private static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);
}
