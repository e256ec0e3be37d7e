using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Export;

/// <summary>
/// What <see cref="ImageReader.Preprocess"/> does to pixels, as a graph: an image of any size becomes the input of a backbone. ONNX has a
/// Resize operator, but its filters are not those of libvips; so the filter is written as a matrix for each axis, and resizing and cropping
/// are two products. Like libvips: whole pixels are averaged first while twice the size is left, then Lanczos (three lobes, as wide as it
/// shrinks); Catmull-Rom for images that are too small; edges go on as they end. Bytes where libvips has bytes.
/// </summary>
/// <param name="b">Receives the nodes.</param>
/// <param name="image">Name of the image, uint8 <c>[height, width, 3]</c>.</param>
internal sealed class ImageGraph(GraphBuilder b, string image)
{
    private readonly Dictionary<int, string> _squares = [];
    private readonly string _image = Middle(b, image);

    /// <summary>float32 <c>[1, 3, Size, Size]</c>.</summary>
    public string Input(Preprocessing p)
    {
        var scale = b.Floats([.. p.Std.Select(std => 1 / (255 * std))], 1, 3, 1, 1);
        var shift = b.Floats([.. p.Std.Zip(p.Mean, (std, mean) => -mean / std)], 1, 3, 1, 1);
        return b.Node("Add", [b.Node("Mul", [Square(p.Size), scale]), shift]);
    }

    /// <summary>The centre of the image, whole numbers 0..255 as float32 <c>[1, 3, side, side]</c>; made once a side.</summary>
    private string Square(int side)
    {
        if (_squares.TryGetValue(side, out var made))
        {
            return made;
        }

        var pixels = b.Node("Slice", [b.Node("Shape", [_image]), b.Integers(0), b.Integers(2)]); // [2]: height, width
        var shorter = b.Node("ReduceMin", [pixels], GraphBuilder.Integer("keepdims", 1)); // [1]
        var block = b.Node("Max", [b.Node("Div", [shorter, b.Integers(2 * side)]), b.Integers(1)]); // [1], pixels a block
        var blockSize = b.Cast(block, GraphBuilder.Float32);
        // [2]; what is left at the edge is a block too
        var sizes = b.Node("Div", [b.Node("Add", [pixels, b.Node("Sub", [block, b.Integers(1)])]), block]);
        var lengths = b.Node("Div", [b.Cast(pixels, GraphBuilder.Float32), blockSize]); // [2], in blocks
        // [1], blocks per target pixel
        var step = b.Node("Div", [b.Cast(shorter, GraphBuilder.Float32), b.Node("Mul", [blockSize, b.Float(side)])]);
        var margin = b.Node("Add", [b.Cast(b.Node("Ceil", [b.Node("Mul", [step, b.Float(3)])]), GraphBuilder.Int64), b.Integers(3)]); // [1]
        var doubled = b.Node("Mul", [shorter, b.Integers(2)]);
        // [2], rounded, before the crop
        var targets = b.Node("Div", [b.Node("Add", [b.Node("Mul", [pixels, b.Integers(2 * side)]), shorter]), doubled]);
        var blocks = Blocks(pixels, sizes, block, margin);
        var rows = Weights(lengths, sizes, targets, 0, step, margin, side);
        var columns = Weights(lengths, sizes, targets, 1, step, margin, side);
        // [side, h] x [3, h, w] x [w, side]
        var square = b.Node("MatMul", [Bytes(b.Node("MatMul", [rows, blocks])), b.Node("Transpose", [columns])]);
        return _squares[side] = b.Node("Unsqueeze", [Bytes(square), b.Integers(0)]);
    }

    /// <summary>Of a strip the square in its middle, as <see cref="ImageReader"/> cuts strips before it scales them; else the whole
    /// image.</summary>
    private static string Middle(GraphBuilder b, string image)
    {
        var pixels = b.Node("Slice", [b.Node("Shape", [image]), b.Integers(0), b.Integers(2)]); // [2]
        var shorter = b.Node("ReduceMin", [pixels], GraphBuilder.Integer("keepdims", 1)); // [1]
        var longer = b.Node("ReduceMax", [pixels], GraphBuilder.Integer("keepdims", 1)); // [1]
        var strip = b.Node("Greater", [longer, b.Node("Mul", [shorter, b.Integers(ImageReader.MostOblong)])]);
        var starts = b.Node("Where", [strip, b.Node("Div", [b.Node("Sub", [pixels, shorter]), b.Integers(2)]), b.Integers(0)]); // [2]
        var ends = b.Node("Where", [strip, b.Node("Add", [starts, shorter]), pixels]); // [2]
        return b.Node("Slice", [image, starts, ends, b.Integers(0, 1)]);
    }

    private string Bytes(string values) => b.Node("Clip", [b.Node("Round", [values]), b.Float(0), b.Float(255)]);

    /// <summary>The means of blocks of pixels with a margin of the outermost ones, float32 <c>[3, height + 2 margin, width + 2
    /// margin]</c>.</summary>
    private string Blocks(string pixels, string sizes, string block, string margin)
    {
        var before = b.Node("Mul", [block, margin]);
        var after = b.Node("Sub", [b.Node("Mul", [block, b.Node("Add", [sizes, margin])]), pixels]); // [2]
        var pads = b.Node("Concat", [before, before, b.Integers(0), after, b.Integers(0)], GraphBuilder.Integer("axis", 0));
        var padded = b.Node("Pad", [_image, pads], GraphBuilder.Text("mode", "edge"));
        var planes = b.Cast(b.Node("Transpose", [padded], GraphBuilder.Integers("perm", 2, 0, 1)), GraphBuilder.Float32);
        var all = b.Node("Add", [sizes, b.Node("Mul", [margin, b.Integers(2)])]); // [2]
        var height = b.Node("Slice", [all, b.Integers(0), b.Integers(1)]);
        var width = b.Node("Slice", [all, b.Integers(1), b.Integers(2)]);
        string Shape(params string[] dims) => b.Node("Concat", dims, GraphBuilder.Integer("axis", 0));
        string Mean(string values, string shape, long axis) =>
            Bytes(b.Node("ReduceMean", [b.Node("Reshape", [values, shape]), b.Integers(axis)], GraphBuilder.Integer("keepdims", 0)));
        var lower = Mean(planes, Shape(b.Integers(3), height, block, b.Node("Mul", [width, block])), 2);
        return Mean(lower, Shape(b.Integers(3), height, width, block), 3);
    }

    /// <summary>By how much each source pixel counts in each target pixel along an axis: <c>[side, size + 2 margin]</c>, rows with sum
    /// 1.</summary>
    private string Weights(string lengths, string sizes, string targets, int axis, string step, string margin, int side)
    {
        var size = b.Node("Gather", [sizes, b.Integers(axis)]);
        var length = b.Node("Gather", [lengths, b.Integers(axis)]);
        var target = b.Cast(b.Node("Gather", [targets, b.Integers(axis)]), GraphBuilder.Float32);
        var cropped = b.Node("Floor", [b.Node("Mul", [b.Node("Sub", [target, b.Float(side)]), b.Float(0.5f)])]);
        var places = b.Node("Add", [b.Floats([.. Enumerable.Range(0, side).Select(i => (float)i)], side, 1), cropped]);
        var start = b.Node("Mul", [places, step]);
        // What shrinks is centred, with whatever rounding to whole target pixels has left over; what grows begins at the edge, as libvips'
        // affine does.
        var left = b.Node("Mul", [b.Node("Sub", [b.Node("Add", [length, step]), b.Node("Mul", [target, step])]), b.Float(0.5f)]);
        var grows = b.Node("Less", [step, b.Float(1)]);
        // libvips has its filters ready for 64 places between two pixels.
        var exact = b.Node("Sub", [b.Node("Add", [start, b.Node("Where", [grows, b.Float(0), left])]), b.Float(0.5f)]);
        var centre = b.Node("Mul", [b.Node("Floor", [b.Node("Add", [b.Node("Mul", [exact, b.Float(64)]), b.Float(0.5f)])]),
            b.Float(1 / 64f)]);
        var end = b.Node("Squeeze", [b.Node("Add", [size, margin])]);
        var taps = b.Cast(b.Node("Range", [b.Node("Squeeze", [b.Node("Neg", [margin])]), end, b.Integer(1)]), GraphBuilder.Float32);
        var distance = b.Node("Abs", [b.Node("Sub", [centre, taps])]);
        var weights = b.Node("Where", [grows, CatmullRom(distance), Lanczos(b.Node("Div", [distance, b.Node("Max", [step, b.Float(1)])]))]);
        return b.Node("Div", [weights, b.Node("ReduceSum", [weights, b.Integers(1)])]);
    }

    /// <summary><c>sinc(x) sinc(x / 3)</c> for x below 3.</summary>
    private string Lanczos(string x)
    {
        var angle = b.Node("Mul", [b.Node("Max", [x, b.Float(1e-3f)]), b.Float(MathF.PI)]); // sinc(0) is 1, and 1e-3 is near enough
        var waves = b.Node("Mul", [b.Node("Sin", [angle]), b.Node("Sin", [b.Node("Mul", [angle, b.Float(1 / 3f)])])]);
        var lanczos = b.Node("Div", [b.Node("Mul", [waves, b.Float(3)]), b.Node("Mul", [angle, angle])]);
        return b.Node("Where", [b.Node("Less", [x, b.Float(3)]), lanczos, b.Float(0)]);
    }

    /// <summary>The cubic with a = -1/2: <c>1.5 x^3 - 2.5 x^2 + 1</c> below 1, <c>-0.5 x^3 + 2.5 x^2 - 4 x + 2</c> below 2.</summary>
    private string CatmullRom(string x)
    {
        var near = Polynomial(x, 1.5f, -2.5f, 0, 1);
        var far = b.Node("Where", [b.Node("Less", [x, b.Float(2)]), Polynomial(x, -0.5f, 2.5f, -4, 2), b.Float(0)]);
        return b.Node("Where", [b.Node("Less", [x, b.Float(1)]), near, far]);
    }

    private string Polynomial(string x, params ReadOnlySpan<float> coefficients)
    {
        var value = b.Float(coefficients[0]);
        foreach (var coefficient in coefficients[1..])
        {
            value = b.Node("Add", [b.Node("Mul", [value, x]), b.Float(coefficient)]);
        }

        return value;
    }
}
