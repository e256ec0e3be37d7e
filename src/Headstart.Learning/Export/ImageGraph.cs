using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Export;

/// <summary><see cref="ImageReader.Preprocess"/> as a graph, from the pixels on: an image of any size becomes the input of a backbone.
/// Rounds to bytes where <see cref="CentreSquare"/> does.</summary>
/// <param name="b">Receives the nodes.</param>
/// <param name="image">Name of the image, uint8 <c>[height, width, 3]</c>.</param>
internal sealed class ImageGraph(GraphBuilder b, string image)
{
    private readonly Dictionary<int, string> _squares = [];
    private readonly string _image = Middle(b, image);

    /// <summary>float32 <c>[1, 3, Size, Size]</c>.</summary>
    public string Input(Preprocessing p) => Normalised(b, Square(p.Size), p);

    /// <summary>float32 <c>[1, 3, h, w]</c> with a height and width of int64 <c>[2]</c>: see <see cref="TriangleFilter"/>.</summary>
    public static string Resized(GraphBuilder b, string image, string size)
    {
        var planes = b.Node("Unsqueeze", [b.Node("Transpose", [image], GraphBuilder.Integers("perm", 2, 0, 1)), b.Integers(0)]);
        var sizes = b.Node("Concat", [b.Integers(1, 3), size], GraphBuilder.Integer("axis", 0));
        return b.Node("Resize", [b.Cast(planes, GraphBuilder.Float32), "", "", sizes], GraphBuilder.Text("mode", "linear"),
            GraphBuilder.Integer("antialias", 1), GraphBuilder.Integer("exclude_outside", 1),
            GraphBuilder.Text("coordinate_transformation_mode", "half_pixel"));
    }

    /// <summary>As if it were stored as bytes.</summary>
    public static string Rounded(GraphBuilder b, string values) =>
        b.Node("Clip", [b.Node("Round", [values]), b.Float(0), b.Float(255)]);

    /// <summary>Values 0..255 as a backbone expects them.</summary>
    public static string Normalised(GraphBuilder b, string values, Preprocessing p)
    {
        var scale = b.Floats([.. p.Std.Select(std => 1 / (255 * std))], 1, 3, 1, 1);
        var shift = b.Floats([.. p.Std.Zip(p.Mean, (std, mean) => -mean / std)], 1, 3, 1, 1);
        return b.Node("Add", [b.Node("Mul", [values, scale]), shift]);
    }

    /// <summary>The centre of the image, integers 0..255 as float32 <c>[1, 3, side, side]</c>, made once per side: see
    /// <see cref="ScaleTarget"/>.</summary>
    private string Square(int side)
    {
        if (_squares.TryGetValue(side, out var made))
        {
            return made;
        }

        var pixels = Pixels(b, _image);
        var shorter = b.Node("ReduceMin", [pixels], GraphBuilder.Integer("keepdims", 1)); // [1]
        var scaled = b.Node("Div", [b.Node("Mul", [pixels, b.Integers(side)]), shorter]); // [2], rounded down
        var whole = Resized(b, _image, scaled);
        var left = b.Cast(b.Node("Sub", [scaled, b.Integers(side)]), GraphBuilder.Float32);
        var start = b.Cast(b.Node("Round", [b.Node("Mul", [left, b.Float(0.5f)])]), GraphBuilder.Int64); // [2]
        var square = b.Node("Slice", [whole, start, b.Node("Add", [start, b.Integers(side)]), b.Integers(2, 3)]);
        return _squares[side] = Rounded(b, square);
    }

    /// <summary>The centre square of a very long image, otherwise the whole image.</summary>
    private static string Middle(GraphBuilder b, string image)
    {
        var pixels = Pixels(b, image);
        var shorter = b.Node("ReduceMin", [pixels], GraphBuilder.Integer("keepdims", 1)); // [1]
        var longer = b.Node("ReduceMax", [pixels], GraphBuilder.Integer("keepdims", 1)); // [1]
        var strip = b.Node("Greater", [longer, b.Node("Mul", [shorter, b.Integers(ScaleTarget.MostOblong)])]);
        var starts = b.Node("Where", [strip, b.Node("Div", [b.Node("Sub", [pixels, shorter]), b.Integers(2)]), b.Integers(0)]); // [2]
        var ends = b.Node("Where", [strip, b.Node("Add", [starts, shorter]), pixels]); // [2]
        return b.Node("Slice", [image, starts, ends, b.Integers(0, 1)]);
    }

    /// <summary>int64 <c>[2]</c>: height and width.</summary>
    private static string Pixels(GraphBuilder b, string image) =>
        b.Node("Slice", [b.Node("Shape", [image]), b.Integers(0), b.Integers(2)]);
}
