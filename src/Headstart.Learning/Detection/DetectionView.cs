using System.Numerics.Tensors;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Detection;

/// <summary>A canvas as training sees it: the projected maps, in half precision, and the objects.</summary>
/// <param name="Width">Width of the canvas in pixels.</param>
/// <param name="Height">Height of the canvas in pixels.</param>
/// <param name="Maps">All maps concatenated, finest first, each <c>[channels, h, w]</c>.</param>
/// <param name="Truth">Objects, in canvas pixels.</param>
internal sealed record DetectionView(int Width, int Height, Half[] Maps, IReadOnlyList<Truth> Truth);

/// <summary>An example, decoded.</summary>
/// <param name="Frame">Sizes of the image.</param>
/// <param name="Pixels"><c>[height, width, 4]</c>: red, green, blue, padding: the fastest layout for <see cref="PictureScaler"/>.</param>
/// <param name="Boxes">Labelled objects.</param>
internal sealed record DecodedExample(PictureFrame Frame, byte[] Pixels, IReadOnlyList<LabelledBox> Boxes)
{
    public const int Lanes = 4;

    /// <param name="example">The example.</param>
    /// <param name="size">Longer side in pixels.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read.</exception>
    public static DecodedExample Of(DetectionExample example, int size)
    {
        using var picture = Letterbox.Of(example.Read(), size);
        var planes = picture.Planes;
        var plane = picture.Width * picture.Height;
        var pixels = new byte[Lanes * plane];
        for (var band = 0; band < 3; band++)
        {
            for (var i = 0; i < plane; i++)
            {
                pixels[Lanes * i + band] = planes[band * plane + i];
            }
        }

        return new(picture.Frame, pixels, example.Boxes);
    }
}

/// <summary>A canvas that images are painted on, and the objects on it.</summary>
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

    /// <summary><c>[3, Height, Width]</c>, normalised; 0 where no image was painted.</summary>
    public float[] Chw { get; }

    public IReadOnlyList<Truth> Truth => _truth;

    /// <summary>Paints an image, scaled and perhaps mirrored, and adds its visible objects.</summary>
    /// <param name="example">The image and its objects.</param>
    /// <param name="placement">Scale and position.</param>
    /// <param name="window">The part of the canvas that may be painted.</param>
    /// <param name="colours">Factor and offset of the red, green and blue bytes.</param>
    public void Paint(DecodedExample example, Placement placement, Window window, (float Gain, float Shift)[] colours)
    {
        var source = example.Frame;
        var (width, height) = (Math.Max(1, (int)Math.Round(source.Width * placement.Scale)),
            Math.Max(1, (int)Math.Round(source.Height * placement.Scale)));
        var (left, top) = (Math.Max(window.Left, placement.Left), Math.Max(window.Top, placement.Top));
        var (right, bottom) = (Math.Min(window.Right, placement.Left + width), Math.Min(window.Bottom, placement.Top + height));
        if (left < right && top < bottom)
        {
            // The filter counts from the image's left edge, which is on the right if mirrored.
            var cut = placement.Mirrored ? placement.Left + width - right : left - placement.Left;
            var plan = new ScalePlan(
                new TriangleFilter(0, source.Width, width, cut, right - left, (source.Width, 1)),
                new TriangleFilter(0, source.Height, height, top - placement.Top, bottom - top, (source.Height, 1)),
                placement.Mirrored ? 2 : 1);
            Paint(example, plan, (left, top), colours);
        }

        Mark(example.Boxes, placement, (width, height), new(left, top, Math.Max(left, right), Math.Max(top, bottom)));
    }

    private void Paint(DecodedExample example, ScalePlan plan, (int Left, int Top) at, (float Gain, float Shift)[] colours)
    {
        var scaled = new byte[3 * plan.Width * plan.Height];
        using (var scaler = new PictureScaler(plan, DecodedExample.Lanes))
        {
            var row = DecodedExample.Lanes * example.Frame.Width;
            for (var y = 0; y < example.Frame.Height; y++)
            {
                scaler.Add(example.Pixels.AsSpan(y * row, row), scaled);
            }
        }

        for (var i = 0; i < 3 * plan.Height; i++)
        {
            var (band, y) = (i / plan.Height, i % plan.Height);
            var row = Chw.AsSpan((band * Height + at.Top + y) * Width + at.Left, plan.Width);
            TensorPrimitives.ConvertTruncating<byte, float>(scaled.AsSpan(i * plan.Width, plan.Width), row);
            TensorPrimitives.Multiply(row, colours[band].Gain, row);
            TensorPrimitives.Add(row, colours[band].Shift, row);
            TensorPrimitives.Max(row, 0, row);
            TensorPrimitives.Min(row, 255, row);
            TensorPrimitives.Multiply(row, 1 / (255 * _preprocessing.Std[band]), row);
            TensorPrimitives.Add(row, -_preprocessing.Mean[band] / _preprocessing.Std[band], row);
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

/// <summary>Position of an image on a canvas, in canvas pixels.</summary>
internal readonly record struct Placement(double Scale, int Left, int Top, bool Mirrored);

/// <summary>A part of a canvas, in pixels.</summary>
internal readonly record struct Window(int Left, int Top, int Right, int Bottom);
