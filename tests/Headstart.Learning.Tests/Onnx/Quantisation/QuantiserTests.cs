using Google.Protobuf;
using Headstart.Learning.Native;
using Headstart.Learning.Onnx;
using Headstart.Learning.Onnx.Quantisation;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Tests.Onnx.Quantisation;

public sealed class QuantiserTests
{
    private static readonly float[][] Images = [.. Enumerable.Range(1, 30).Select(Image)];

    [Fact]
    public void Every_layer_computes_with_whole_numbers_and_says_nearly_the_same()
    {
        var network = Mobile();

        var quantised = Quantiser.Quantise(network, Images, TinyNetwork.Side, (0, 1));

        var operators = AsRun(quantised);
        Assert.DoesNotContain(operators, op => op is "Conv" or "FusedConv" or "Add" or "Relu" or "Clip");
        Assert.Equal(6, operators.Count(op => op.EndsWith("QLinearConv", StringComparison.Ordinal)));
        var (before, after) = (TinyNetwork.Run(network).Values.Single().Values, TinyNetwork.Run(quantised).Values.Single().Values);
        var noise = before.Zip(after, (x, y) => (x - y) * (x - y)).Sum();
        Assert.True(noise > 0); // it has been rounded
        Assert.True(noise < before.Sum(x => x * x) / 300, $"{noise} of {before.Sum(x => x * x)}"); // 25 dB
    }

    [Fact]
    public void Inner_tensors_keep_their_names_and_can_be_cut_out_as_before()
    {
        var network = Mobile();

        var quantised = Quantiser.Quantise(network, Images, TinyNetwork.Side, (0, 1));

        var (before, after) = (OnnxGraph.Parse(network), OnnxGraph.Parse(quantised));
        Assert.NotEmpty(before.IntermediateCuts());
        Assert.Equal(before.IntermediateCuts().Select(cut => (cut.Name, cut.Length, cut.Stride)),
            after.IntermediateCuts().Select(cut => (cut.Name, cut.Length, cut.Stride)));
        Assert.Equal(before.FindFeatureMap(before.OutputFeatures())?.Name, after.FindFeatureMap(after.OutputFeatures())?.Name);
    }

    [Fact]
    public void A_network_of_an_older_operator_set_with_batch_normalisation_is_quantised_and_its_matrix_stays()
    {
        var tiny = new TinyNetwork();
        var convolved = tiny.Conv("image", 3, 8, kernel: 3, stride: 2);
        var normal = tiny.Op("BatchNormalization", [convolved, tiny.Positive(8), tiny.Weight(8), tiny.Weight(8), tiny.Positive(8)]);
        var network = tiny.Bytes(tiny.Gemm(tiny.Flatten(tiny.Pool(tiny.Relu(normal))), 8, 5), -1, 5);
        var old = ModelProto.Parser.ParseFrom(network);
        old.OpsetImport[0].Version = 11;

        var quantised = Quantiser.Quantise(old.ToByteArray(), Images, TinyNetwork.Side, (0, 1));

        Assert.Contains(AsRun(quantised), op => op.EndsWith("QLinearConv", StringComparison.Ordinal));
        var (before, after) = (TinyNetwork.Run(network).Values.Single().Values, TinyNetwork.Run(quantised).Values.Single().Values);
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second, 0.1f * before.Max(Math.Abs)));
    }

    [Fact]
    public void A_network_without_layers_of_weights_is_refused_with_a_sentence()
    {
        var tiny = new TinyNetwork();
        var network = tiny.Bytes(tiny.Flatten(tiny.Pool("image")), -1, 3);

        var refusal = Assert.Throws<OnnxModelException>(() => Quantiser.Quantise(network, Images, TinyNetwork.Side, (0, 1)));

        Assert.Equal("The network has no layer that can be computed with 8 bits.", refusal.Message);
    }

    [Fact]
    public void Weights_are_within_half_a_step_and_the_largest_bias_fits_into_32_bits()
    {
        var random = new Random(3);
        float[] values = [.. Enumerable.Range(0, 600).Select(i => (random.NextSingle() - 0.5f) * MathF.Pow(10, i / 100 - 3))];

        var weights = Weights.Of(values, [0, 1e9f, -3, 0, 0, 0], 0.01f);

        Assert.DoesNotContain(sbyte.MinValue, weights.Numbers);
        Assert.All(values.Index(), at => Assert.True(
            Math.Abs(at.Item - weights.Numbers[at.Index] * weights.Scales[at.Index / 100]) <= 0.5001f * weights.Scales[at.Index / 100]));
        Assert.True(1e9f / (0.01f * weights.Scales[1]) < int.MaxValue);
        Assert.Contains(weights.Numbers[500..], number => Math.Abs(number) == 127); // and no step is wasted where the bias is small
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 6)]
    [InlineData(2, 3)]
    [InlineData(-5, -2)]
    [InlineData(0, 0)]
    public void Zero_is_one_of_the_numbers_of_every_range(float low, float high)
    {
        var range = EightBits.Of(low, high);

        Assert.True(range.Scale > 0);
        Assert.True(-range.ZeroPoint * range.Scale <= Math.Min(0, low) + range.Scale);
        Assert.True(high - (255 - range.ZeroPoint) * range.Scale <= range.Scale);
    }

    /// <summary>In small what mobile networks are made of: limits, layers by channel, a sum; <c>[n, 12]</c>.</summary>
    private static byte[] Mobile()
    {
        var tiny = new TinyNetwork();
        var stem = Limited(tiny.Conv("image", 3, 8, kernel: 3, stride: 2));
        var narrow = tiny.Conv(Limited(tiny.Conv(stem, 8, 8, kernel: 3, group: 8)), 8, 6);
        var sum = tiny.Op("Add", [narrow, tiny.Conv(Limited(tiny.Conv(narrow, 6, 10)), 10, 6)]);
        var last = tiny.Relu(tiny.Conv(sum, 6, 12, kernel: 3, stride: 2));
        return tiny.Bytes(tiny.Flatten(tiny.Pool(last)), -1, 12);

        string Limited(string input) => tiny.Op("Clip", [input, tiny.Constant(0), tiny.Constant(6)]);
    }

    private static float[] Image(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 3 * TinyNetwork.Side * TinyNetwork.Side).Select(_ => random.NextSingle())];
    }

    /// <summary>The operators that ONNX Runtime makes of a network.</summary>
    private static List<string> AsRun(byte[] network)
    {
        OnnxRuntime.EnsureLoaded();
        using var folder = new TestFolder();
        using var options = new SessionOptions
        {
            OptimizedModelFilePath = folder.File("run.onnx"),
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL
        };
        using (new InferenceSession(network, options))
        {
            return [.. ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder.File("run.onnx"))).Graph.Node.Select(node => node.OpType)];
        }
    }
}
