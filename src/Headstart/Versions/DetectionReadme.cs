using System.Globalization;
using Headstart.Data;
using Headstart.Learning.Detection;

namespace Headstart.Versions;

/// <summary>The README.md of an exported detector. A test extracts its programs and runs them.</summary>
internal static class DetectionReadme
{
    /// <summary>Minimum probability of the exported model's answers; the programs keep those above the threshold of their label.</summary>
    public const float LeastProbability = 0.05f;

    public static string Of(Model model, ModelVersion version, ServedDetector served) => $$"""
        # {{ExportReadme.Inline(model.Name)}}, version {{version.Number}}

        An object detector exported from Headstart. `model.onnx` is self-contained: it takes the pixels of a photograph
        of any size and returns the objects in it. Scaling, detection and the removal of duplicates are part of the model.

        | | |
        | --- | --- |
        | input `{{DetectionExport.Image}}` | uint8 `[height, width, 3]`: red, green and blue from 0 to 255, row by row, upright, transparent parts on white |
        | output `{{DetectionExport.Boxes}}` | float32 `[n, 4]`: x and y of the top left corner, width and height, relative to the image's width and height |
        | output `{{DetectionExport.Scores}}` | float32 `[n]`: probabilities of at least {{ExportReadme.Number(LeastProbability)}}, highest first |
        | output `{{DetectionExport.Labels}}` | int64 `[n]`: index into `labels.txt` |

        It needs ONNX Runtime (operator set 18; tested with 1.30 and 1.31), in any language. Pass the whole photograph: resizing it first
        changes its pixels and may change what is found. Convert photographs with another colour profile to sRGB first.

        ## Labels

        Each label has the threshold at which its F1 is highest.

        {{string.Join('\n', served.Labels.Zip(served.Head.Thresholds, (label, threshold) => (label, threshold)).Select((l, i) => $"{i}. {ExportReadme.Inline(l.label)} (threshold {ExportReadme.Number(l.threshold)})"))}}

        ## Python

        `pip install onnxruntime pillow numpy`, then `python find.py photo.jpg` prints the objects and draws them into `found.png`:

        ```python
        {{Python(served.Head.Thresholds)}}
        ```

        ## JavaScript

        `npm install onnxruntime-node sharp`, then `node find.mjs photo.jpg` prints the objects and draws them into `found.png`:

        ```js
        {{JavaScript(served.Head.Thresholds)}}
        ```

        ## What is inside

        - {{served.Backbone.Manifest.Id}}, {{served.Backbone.Manifest.Licence}}: {{ExportReadme.Inline(served.Backbone.Manifest.Source)}}, SHA-256 `{{served.Backbone.Manifest.Sha256}}`

        Model {{version.ModelId}}, trained {{version.CreatedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}} UTC.
        {{ExportReadme.Accuracy(version, "Mean average precision at an overlap of 0.5")}}

        """;

    private static string Python(IReadOnlyList<float> thresholds) => $$"""
        import sys
        import numpy as np
        import onnxruntime as ort
        from PIL import Image, ImageDraw, ImageOps

        session = ort.InferenceSession("model.onnx")
        names = open("labels.txt", encoding="utf-8").read().splitlines()
        thresholds = [{{ExportReadme.Numbers(thresholds)}}]
        photo = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGBA")
        photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")
        boxes, scores, labels = session.run(["boxes", "scores", "labels"], {"image": np.asarray(photo)})
        draw = ImageDraw.Draw(photo)
        for (x, y, w, h), score, label in zip(boxes * [photo.width, photo.height, photo.width, photo.height], scores, labels):
            if score >= thresholds[label]:
                print(names[label], f"{score:.3f}", *(round(side) for side in (x, y, w, h)))
                draw.rectangle([x, y, x + w, y + h], outline="red", width=3)
        photo.save("found.png")
        """;

    private static string JavaScript(IReadOnlyList<float> thresholds) => $$"""
        import fs from 'node:fs';
        import * as ort from 'onnxruntime-node';
        import sharp from 'sharp';

        const session = await ort.InferenceSession.create('model.onnx');
        const names = fs.readFileSync('labels.txt', 'utf8').trimEnd().split('\n');
        const thresholds = [{{ExportReadme.Numbers(thresholds)}}];
        const photo = sharp(process.argv[2]).autoOrient().flatten({ background: 'white' }).toColourspace('srgb');
        const { data, info } = await photo.raw().toBuffer({ resolveWithObject: true });
        const image = new ort.Tensor('uint8', data, [info.height, info.width, 3]);
        const { boxes, scores, labels } = await session.run({ image });
        let drawn = '';
        scores.data.forEach((score, i) => {
          const label = Number(labels.data[i]);
          if (score < thresholds[label]) return;
          const [x, y, w, h] = [0, 1, 2, 3].map(k => Math.round(boxes.data[4 * i + k] * (k % 2 ? info.height : info.width)));
          console.log(names[label], score.toFixed(3), x, y, w, h);
          drawn += `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="red" stroke-width="3"/>`;
        });
        const svg = Buffer.from(`<svg width="${info.width}" height="${info.height}" xmlns="http://www.w3.org/2000/svg">${drawn}</svg>`);
        await sharp(data, { raw: info }).composite([{ input: svg }]).toFile('found.png');
        """;
}
