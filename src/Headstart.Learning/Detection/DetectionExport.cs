using Headstart.Learning.Backbones;
using Headstart.Learning.Export;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>
/// A detector as one ONNX model, including scaling, backbone, head, decoding and non-maximum suppression. Input: <c>image</c>, uint8
/// <c>[height, width, 3]</c>, RGB, upright, of any size. Outputs: <c>boxes</c>, float32 <c>[n, 4]</c> (x, y, width, height, relative to
/// the image), <c>scores</c>, float32 <c>[n]</c>, most probable first, and <c>labels</c>, int64 <c>[n]</c>.
/// </summary>
public static class DetectionExport
{
    public const string Image = "image";
    public const string Boxes = "boxes";
    public const string Scores = "scores";
    public const string Labels = "labels";

    /// <summary>Builds the model.</summary>
    /// <param name="backbone">The backbone; its file is read again.</param>
    /// <param name="head">A head trained with this backbone.</param>
    /// <param name="threshold">The model leaves out objects below this probability.</param>
    /// <param name="about">Further entries for the model's metadata.</param>
    /// <exception cref="ModelExportException">The networks cannot be merged into one model.</exception>
    /// <exception cref="BackboneException">The backbone's file is missing or has changed.</exception>
    public static byte[] Build(DetectorBackbone backbone, DetectionHead head, float threshold, IReadOnlyDictionary<string, string> about)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        ArgumentNullException.ThrowIfNull(head);
        ArgumentNullException.ThrowIfNull(about);
        if (!backbone.Feeds(head))
        {
            throw new ArgumentException($"The head reads {head.BackboneId}, not {backbone.Manifest.Id}.", nameof(backbone));
        }

        return CombinedModel.Build(backbone.Manifest.Id, () => Assemble(backbone, head.Artifact, threshold),
            Metadata(backbone, head).Concat(about), ExportCheck.Load);
    }

    private static ModelProto Assemble(DetectorBackbone backbone, DetectionHeadArtifact head, float threshold)
    {
        var network = backbone.ReadNetwork();
        var opset = CombinedModel.Level([network]);
        var graph = new GraphProto { Name = "headstart", Input = { GraphBuilder.Value(Image, GraphBuilder.UInt8, -1, -1, 3) } };
        var picture = new LetterboxGraph(new GraphBuilder(graph, "image/"), Image, head.Resolution, backbone.Manifest.Preprocessing);
        var maps = BackboneGraph.AppendAll(graph, network, "backbone/", picture.Canvas);
        var (scores, sides) = head.Network.Run(new OnnxOperators(new GraphBuilder(graph, "head/"), head.Parameters), maps);
        new DecodingGraph(new GraphBuilder(graph, "objects/"), picture, head).Append(maps, scores, sides, threshold);
        return CombinedModel.Of(graph, [network], opset);
    }

    private static IEnumerable<KeyValuePair<string, string>> Metadata(DetectorBackbone backbone, DetectionHead head)
    {
        yield return new("labels", CombinedModel.Json(head.Categories));
        yield return new("thresholds", CombinedModel.Json(head.Thresholds));
        yield return new("resolution", CombinedModel.Json(head.Resolution));
        yield return new("backbones", CombinedModel.Json([backbone.Manifest]));
    }
}

/// <summary><see cref="Letterbox"/> as ONNX nodes.</summary>
internal sealed class LetterboxGraph
{
    private readonly GraphBuilder _b;

    /// <param name="b">Receives the nodes.</param>
    /// <param name="image">Name of the image, uint8 <c>[height, width, 3]</c>.</param>
    /// <param name="resolution">Longer side in pixels.</param>
    /// <param name="p">Mean and standard deviation.</param>
    public LetterboxGraph(GraphBuilder b, string image, int resolution, Preprocessing p)
    {
        _b = b;
        var pixels = b.Node("Slice", [b.Node("Shape", [image]), b.Integers(0), b.Integers(2)]); // [2]: height, width
        var longer = b.Node("ReduceMax", [pixels], GraphBuilder.Integer("keepdims", 1)); // [1]
        // Rounds halves up, to at least 1, like ScaleTarget.
        var doubled = b.Node("Add", [b.Node("Mul", [pixels, b.Integers(2L * resolution)]), longer]);
        var scaled = b.Node("Max", [b.Node("Div", [doubled, b.Node("Mul", [longer, b.Integers(2)])]), b.Integers(1)]);
        var values = ImageGraph.Normalised(b, ImageGraph.Rounded(b, ImageGraph.Resized(b, image, scaled)), p);
        var multiple = b.Integers(Letterbox.Multiple);
        var whole = b.Node("Mul", [b.Node("Div", [b.Node("Add", [scaled, b.Integers(Letterbox.Multiple - 1)]), multiple]), multiple]);
        var pads = b.Node("Concat", [b.Integers(0, 0, 0, 0, 0, 0), b.Node("Sub", [whole, scaled])], GraphBuilder.Integer("axis", 0));
        Canvas = b.Node("Pad", [values, pads, b.Float(0)], GraphBuilder.Text("mode", "constant"));
        Scaled = b.Cast(scaled, GraphBuilder.Float32);
    }

    /// <summary>Name of the canvas, float32 <c>[1, 3, h, w]</c>.</summary>
    public string Canvas { get; }

    /// <summary>Name of the height and width of the image on the canvas, float32 <c>[2]</c>.</summary>
    public string Scaled { get; }
}

/// <summary>The steps of <see cref="Decoding"/> and <see cref="Detector"/> after the head, as ONNX nodes.</summary>
internal sealed class DecodingGraph(GraphBuilder b, LetterboxGraph picture, DetectionHeadArtifact head)
{
    /// <summary>Adds the nodes and the model's outputs.</summary>
    /// <param name="maps">Names of the backbone's maps, by stride.</param>
    /// <param name="scores">Name of the logits, <c>[1, k, places]</c>.</param>
    /// <param name="sides">Name of the sides, <c>[1, 4, places]</c>.</param>
    /// <param name="threshold">Lowest probability.</param>
    public void Append(IReadOnlyList<string> maps, string scores, string sides, float threshold)
    {
        var (x, y, stride) = Places(maps);
        var lengths = b.Node("Mul", [b.Node("Exp", [b.Node("Min", [sides, b.Float(LongestSide)])]), stride]); // [1, 4, places]
        string Side(int i) => b.Node("Slice", [lengths, b.Integers(i), b.Integers(i + 1), b.Integers(1)]); // [1, 1, places]
        var (left, top, right, bottom) = (b.Node("Sub", [x, Side(0)]), b.Node("Sub", [y, Side(1)]), b.Node("Add", [x, Side(2)]),
            b.Node("Add", [y, Side(3)]));
        var corners = b.Node("Transpose", [b.Node("Concat", [top, left, bottom, right], GraphBuilder.Integer("axis", 1))],
            GraphBuilder.Integers("perm", 0, 2, 1)); // [1, places, 4], as NonMaxSuppression expects
        // Keeps the best boxes of each category and suppresses only within a category.
        var chosen = b.Node("NonMaxSuppression", [corners, scores, b.Integers(MostObjects), b.Floats([head.SameObject], 1),
            b.Floats([head.Logit(threshold)], 1)]); // [m, 3]: 0, category, place
        var category = Column(chosen, 1);
        var place = Column(chosen, 2);
        var flat = b.Node("Add", [b.Node("Mul", [category, b.Node("Slice", [b.Node("Shape", [scores]), b.Integers(2), b.Integers(3)])]),
            place]);
        var logits = b.Node("Gather", [b.Node("Reshape", [scores, b.Integers(-1)]), flat]);
        var count = b.Node("Min", [b.Node("Shape", [logits]), b.Integers(MostObjects)]);
        var (best, order) = b.Largest(logits, count);
        var probabilities = b.Node("Sigmoid", [b.Node("Add", [b.Node("Mul", [best, b.Float(head.Slope)]), b.Float(head.Intercept)])]);
        var all = b.Node("Squeeze", [corners, b.Integers(0)]); // [places, 4]
        var boxes = Vote(all, b.Node("Gather", [all, b.Node("Gather", [place, order])]),
            b.Node("Gather", [b.Node("Squeeze", [scores, b.Integers(0)]), b.Node("Gather", [category, order])])); // [n, 4]
        var size = b.Node("Concat", [picture.Scaled, picture.Scaled], GraphBuilder.Integer("axis", 0)); // height, width twice
        var relative = b.Node("Clip", [b.Node("Div", [boxes, size]), b.Float(0), b.Float(1)]);
        string Edge(int i) => b.Node("Slice", [relative, b.Integers(i), b.Integers(i + 1), b.Integers(1)]); // [n, 1]
        var result = b.Node("Concat", [Edge(1), Edge(0), b.Node("Sub", [Edge(3), Edge(1)]), b.Node("Sub", [Edge(2), Edge(0)])],
            GraphBuilder.Integer("axis", 1));
        b.Output(result, DetectionExport.Boxes, GraphBuilder.Float32, -1, 4);
        b.Output(probabilities, DetectionExport.Scores, GraphBuilder.Float32, -1);
        b.Output(b.Node("Gather", [category, order]), DetectionExport.Labels, GraphBuilder.Int64, -1);
    }

    /// <summary>Box voting: for each kept box the mean of the boxes that agree with it, see <see cref="Decoding.Objects"/>.</summary>
    /// <param name="all"><c>[places, 4]</c></param>
    /// <param name="kept"><c>[n, 4]</c></param>
    /// <param name="logits"><c>[n, places]</c>, for the category of each kept box.</param>
    private string Vote(string all, string kept, string logits)
    {
        var turned = b.Node("Transpose", [all], GraphBuilder.Integers("perm", 1, 0)); // [4, places]
        string Row(int i) => b.Node("Slice", [turned, b.Integers(i), b.Integers(i + 1), b.Integers(0)]); // [1, places]
        string Own(int i) => b.Node("Slice", [kept, b.Integers(i), b.Integers(i + 1), b.Integers(1)]); // [n, 1]
        string Length(int axis) => b.Node("Relu", [b.Node("Sub", [b.Node("Min", [Own(axis + 2), Row(axis + 2)]),
            b.Node("Max", [Own(axis), Row(axis)])])]); // [n, places]
        string Area(Func<int, string> of) => b.Node("Mul", [b.Node("Sub", [of(2), of(0)]), b.Node("Sub", [of(3), of(1)])]);
        var overlap = b.Node("Mul", [Length(0), Length(1)]);
        var union = b.Node("Sub", [b.Node("Add", [Area(Own), Area(Row)]), overlap]);
        var share = b.Node("Div", [overlap, b.Node("Max", [union, b.Float(1e-6f)])]);
        var agrees = b.Node("Relu", [b.Node("Sub", [share, b.Float(AgreeingBox)])]);
        var counts = b.Cast(b.Node("GreaterOrEqual", [logits, b.Float(LeastLogit)]), GraphBuilder.Float32);
        var weights = b.Node("Mul", [b.Node("Mul", [agrees, counts]), b.Node("Sigmoid", [logits])]);
        var sums = b.Node("ReduceSum", [weights, b.Integers(1)], GraphBuilder.Integer("keepdims", 1)); // [n, 1]
        return b.Node("Div", [b.Node("MatMul", [weights, all]), b.Node("Max", [sums, b.Float(1e-12f)])]);
    }

    private string Column(string matrix, int i) =>
        b.Node("Squeeze", [b.Node("Slice", [matrix, b.Integers(i), b.Integers(i + 1), b.Integers(1)]), b.Integers(1)]);

    /// <summary>Centres and strides of all places, each <c>[1, 1, places]</c>.</summary>
    private (string X, string Y, string Stride) Places(IReadOnlyList<string> maps)
    {
        var (xs, ys, strides) = (new List<string>(), new List<string>(), new List<string>());
        for (var level = 0; level < maps.Count; level++)
        {
            float stride = DetectorBackbone.Strides[level];
            var shape = b.Node("Shape", [maps[level]]);
            var (rows, columns) = (Scalar(shape, 2), Scalar(shape, 3));
            var grid = b.Node("Slice", [shape, b.Integers(2), b.Integers(4)]); // [h, w]
            xs.Add(Spread(b.Node("Unsqueeze", [Centres(columns, stride), b.Integers(0)]), grid));
            ys.Add(Spread(b.Node("Unsqueeze", [Centres(rows, stride), b.Integers(1)]), grid));
            strides.Add(Spread(b.Floats([stride], 1, 1), grid));
        }

        return (Joined(xs), Joined(ys), Joined(strides));

        string Joined(List<string> parts) => b.Node("Concat", parts, GraphBuilder.Integer("axis", 2));

        string Spread(string values, string grid) => b.Node("Reshape", [b.Node("Expand", [values, grid]), b.Integers(1, 1, -1)]);

        string Centres(string count, float stride) => b.Node("Mul", [b.Node("Add", [b.Cast(b.Node("Range",
            [b.Integer(0), count, b.Integer(1)]), GraphBuilder.Float32), b.Float(0.5f)]), b.Float(stride)]);

        string Scalar(string shape, int axis) => b.Node("Gather", [shape, b.Integer(axis)]);
    }
}
