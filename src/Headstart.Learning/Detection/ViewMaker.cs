using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Makes views: each image plainly, or augmented: larger, smaller, moved, mirrored, in other light, and four images on one
/// canvas (mosaic, Bochkovskiy et al. 2020). The backbone reads each view once.</summary>
internal sealed class ViewMaker(DetectorBackbone backbone, int resolution)
{
    /// <summary>Shorter over longer side of augmented views; all have one size, so that they share their buffers.</summary>
    public double Aspect { get; set; } = 1;

    /// <summary>Longer side of decoded images: above the resolution, so that enlarged views are sharp too.</summary>
    public int DecodedSize => (int)(resolution * LargestView);

    /// <summary>Number of places of an augmented view.</summary>
    public int PlacesOfView => new Places(Letterbox.Whole(resolution), Letterbox.Whole((int)Math.Round(resolution * Aspect))).Count;

    /// <summary>The image as a detector sees it.</summary>
    public Canvas Plain(DecodedExample example)
    {
        var canvas = new Canvas(Letterbox.Whole(example.Frame.Width), Letterbox.Whole(example.Frame.Height),
            backbone.Manifest.Preprocessing);
        canvas.Paint(example, new(1, 0, 0, false), new(0, 0, canvas.Width, canvas.Height), [(1, 0), (1, 0), (1, 0)]);
        return canvas;
    }

    /// <summary>An augmented view.</summary>
    /// <param name="example">The image to show.</param>
    /// <param name="others">Images that a mosaic may add.</param>
    /// <param name="random">Draws the augmentation.</param>
    public Canvas Drawn(DecodedExample example, IReadOnlyList<DecodedExample> others, Random random)
    {
        var (longer, shorter) = (Letterbox.Whole(resolution), Letterbox.Whole((int)Math.Round(resolution * Aspect)));
        var canvas = example.Frame.Width >= example.Frame.Height ? new Canvas(longer, shorter, backbone.Manifest.Preprocessing)
            : new Canvas(shorter, longer, backbone.Manifest.Preprocessing);
        if (random.NextDouble() >= MosaicShare || others.Count < 2)
        {
            Paint(example, new(0, 0, canvas.Width, canvas.Height), SmallestView, LargestView);
            return canvas;
        }

        var (x, y) = ((int)(canvas.Width * (0.3 + 0.4 * random.NextDouble())), (int)(canvas.Height * (0.3 + 0.4 * random.NextDouble())));
        Window[] windows = [new(0, 0, x, y), new(x, 0, canvas.Width, y), new(0, y, x, canvas.Height),
            new(x, y, canvas.Width, canvas.Height)];
        var own = random.Next(windows.Length);
        for (var i = 0; i < windows.Length; i++)
        {
            Paint(i == own ? example : others[random.Next(others.Count)], windows[i], MosaicScale * SmallestView,
                MosaicScale * LargestView);
        }

        return canvas;

        void Paint(DecodedExample of, Window window, double smallest, double largest)
        {
            var size = smallest * Math.Pow(largest / smallest, random.NextDouble()) * resolution / Math.Max(of.Frame.Width,
                of.Frame.Height);
            var (width, height) = (of.Frame.Width * size, of.Frame.Height * size);
            canvas.Paint(of, new(size, Place(window.Left, window.Right, width), Place(window.Top, window.Bottom, height),
                random.Next(2) == 1), window, Light());
        }

        // Anywhere inside if it fits, otherwise anywhere that leaves no gap.
        int Place(int from, int to, double length) => (int)Math.Round(from + (to - from - length) * random.NextDouble());

        (float, float)[] Light()
        {
            var gain = Math.Exp(LightSpread * (2 * random.NextDouble() - 1));
            var shift = 255 * LightSpread / 4 * (2 * random.NextDouble() - 1);
            return [.. Enumerable.Range(0, 3).Select(_ => ((float)(gain * Math.Exp(ColourSpread * (2 * random.NextDouble() - 1))),
                (float)shift))];
        }
    }

    /// <summary>Runs the backbone on a canvas and projects its maps.</summary>
    public DetectionView Read(Canvas canvas, IReadOnlyList<MapProjection> projections)
    {
        using var maps = backbone.Read(canvas.Chw, canvas.Width, canvas.Height);
        var places = DetectorBackbone.Strides.Select(stride => canvas.Width / stride * (canvas.Height / stride)).ToList();
        var kept = new Half[projections.Zip(places, (projection, count) => projection.Outputs * count).Sum()];
        for (var (level, at) = (0, 0); level < places.Count; level++)
        {
            var length = projections[level].Outputs * places[level];
            projections[level].Apply(maps.Map(level), kept.AsSpan(at, length));
            at += length;
        }

        return new(canvas.Width, canvas.Height, kept, canvas.Truth);
    }

    /// <summary>Computes the projection of each map.</summary>
    /// <param name="canvases">A sample of images.</param>
    /// <param name="random">Draws the places.</param>
    public IReadOnlyList<MapProjection> Project(IReadOnlyList<Canvas> canvases, Random random)
    {
        var rows = backbone.Channels.Select(_ => new List<float>()).ToList();
        foreach (var canvas in canvases)
        {
            using var maps = backbone.Read(canvas.Chw, canvas.Width, canvas.Height);
            for (var level = 0; level < rows.Count; level++)
            {
                var map = maps.Map(level);
                var (channels, places) = (backbone.Channels[level], map.Length / backbone.Channels[level]);
                for (var sample = 0; sample < Math.Min(places, PlacesForProjection / canvases.Count); sample++)
                {
                    var place = random.Next(places);
                    for (var channel = 0; channel < channels; channel++)
                    {
                        rows[level].Add(map[channel * places + place]);
                    }
                }
            }
        }

        return [.. rows.Select((sample, level) => MapProjection.Of([.. sample], backbone.Channels[level], KeptChannels[level]))];
    }
}
