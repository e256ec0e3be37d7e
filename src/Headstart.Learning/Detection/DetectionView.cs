using Headstart.Learning.Imaging;

namespace Headstart.Learning.Detection;

/// <summary>What training sees of a canvas: the kept maps, in half precision, and the objects.</summary>
/// <param name="Width">Of the canvas in pixels.</param>
/// <param name="Height">Of the canvas in pixels.</param>
/// <param name="Maps">One behind the other, <c>[channels, h, w]</c> each.</param>
/// <param name="Truth">In pixels of the canvas.</param>
internal sealed record DetectionView(int Width, int Height, Half[] Maps, IReadOnlyList<Truth> Truth);

/// <summary>An example, decoded.</summary>
internal sealed record DecodedExample(Letterbox Picture, IReadOnlyList<LabelledBox> Boxes) : IDisposable
{
    public void Dispose() => Picture.Dispose();
}

/// <summary>A canvas that pictures are painted on, and what is to be found there.</summary>
internal sealed class Canvas
{
    private readonly Preprocessing _preprocessing;
    private readonly List<Truth> _truth = [];

    public Canvas(int width, int height, Preprocessing preprocessing)
    {
        (Width, Height, _preprocessing) = (width, height, preprocessing);
        Chw = new float[3 * width * height];
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary><c>[3, Height, Width]</c>, normalised; 0 where nothing was painted.</summary>
    public float[] Chw { get; }

    public IReadOnlyList<Truth> Truth => _truth;

    /// <summary>Paints a picture, scaled and perhaps mirrored.</summary>
    /// <param name="example">The picture and its objects.</param>
    /// <param name="placement">Where.</param>
    /// <param name="window">The part of the canvas that may be painted.</param>
    /// <param name="colours">What the bytes of red, green and blue are multiplied with and added.</param>
    public void Paint(DecodedExample example, Placement placement, Window window, (float Gain, float Shift)[] colours)
    {
        var source = example.Picture;
        var (width, height) = (Math.Max(1, (int)Math.Round(source.Width * placement.Scale)),
            Math.Max(1, (int)Math.Round(source.Height * placement.Scale)));
        var (left, top) = (Math.Max(window.Left, placement.Left), Math.Max(window.Top, placement.Top));
        var (right, bottom) = (Math.Min(window.Right, placement.Left + width), Math.Min(window.Bottom, placement.Top + height));
        if (left < right && top < bottom)
        {
            // The filter counts from the picture's left, which is on the right where it is mirrored.
            var cut = placement.Mirrored ? placement.Left + width - right : left - placement.Left;
            var plan = new ScalePlan(
                new TriangleFilter(0, source.Width, width, cut, right - left, (source.Width, 1)),
                new TriangleFilter(0, source.Height, height, top - placement.Top, bottom - top, (source.Height, 1)),
                placement.Mirrored ? 2 : 1);
            for (var band = 0; band < 3; band++)
            {
                PaintBand(source, band, plan, (left, top), colours[band]);
            }
        }

        Mark(example.Boxes, placement, (width, height), new(left, top, Math.Max(left, right), Math.Max(top, bottom)));
    }

    private void PaintBand(Letterbox source, int band, ScalePlan plan, (int Left, int Top) at, (float Gain, float Shift) colour)
    {
        var scaled = new byte[plan.Width * plan.Height];
        using (var scaler = new PictureScaler(plan, bands: 1))
        {
            for (var y = 0; y < source.Height; y++)
            {
                scaler.Add(source.Planes.Slice((band * source.Height + y) * source.Width, source.Width), scaled);
            }
        }

        for (var y = 0; y < plan.Height; y++)
        {
            var row = Chw.AsSpan((band * Height + at.Top + y) * Width + at.Left, plan.Width);
            var bytes = scaled.AsSpan(y * plan.Width, plan.Width);
            foreach (ref var value in bytes)
            {
                value = (byte)Math.Clamp(value * colour.Gain + colour.Shift, 0, 255);
            }

            Letterbox.Normalise(bytes, _preprocessing, band, row);
        }
    }

    private void Mark(IReadOnlyList<LabelledBox> boxes, Placement placement, (int Width, int Height) picture, Window visible)
    {
        foreach (var (category, box, difficult) in boxes)
        {
            var x = placement.Mirrored ? 1 - box.Right : box.X;
            var whole = new Sides(placement.Left + x * picture.Width, placement.Top + box.Y * picture.Height,
                placement.Left + (x + box.Width) * picture.Width, placement.Top + box.Bottom * picture.Height);
            var seen = new Sides(Math.Max(whole.Left, visible.Left), Math.Max(whole.Top, visible.Top),
                Math.Min(whole.Right, visible.Right), Math.Min(whole.Bottom, visible.Bottom));
            if (seen.Width > 0 && seen.Height > 0)
            {
                _truth.Add(new(category, seen, difficult || seen.Area < TrainingDefaults.EnoughSeen * whole.Area));
            }
        }
    }
}

/// <summary>Where a picture goes on a canvas, in pixels of the canvas.</summary>
internal readonly record struct Placement(double Scale, int Left, int Top, bool Mirrored);

/// <summary>A part of a canvas in pixels.</summary>
internal readonly record struct Window(int Left, int Top, int Right, int Bottom);
