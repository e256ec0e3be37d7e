using Headstart.Learning.Detection;
using Headstart.Learning.Native;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Tests.Detection;

public sealed class ServedHeadTests
{
    [Theory]
    [InlineData(32, 32, 1, 16)] // maps of one to four places
    [InlineData(96, 64, 2, 32)]
    [InlineData(480, 288, 20, 64)] // rows that are no multiple of what is computed at once
    [InlineData(1_280, 32, 3, 64)] // a row is more than a band
    public void It_answers_as_ONNX_Runtime_does_where_there_may_be_an_object(int width, int height, int categories, int channels)
    {
        OnnxRuntime.EnsureLoaded();
        var network = new HeadNetwork([24, 40, 100], categories, channels);
        var random = new Random(width);
        float[] parameters = [.. network.Begin(random).Select(value => value + 0.05f * (random.NextSingle() - 0.5f))];
        var served = new ServedHead(network, parameters);
        using var onnx = new OnnxHead(network, parameters);
        using var maps = Maps(network, width, height, random);
        var places = new Places(width, height).Count;
        // The second time in buffers that have been used.
        for (var turn = 0; turn < 2; turn++)
        {
            var (scores, sides) = served.Ask(maps, Copy);
            var (expected, expectedSides) = onnx.Ask(maps, Copy);
            int[] shown = [.. Enumerable.Range(0, places).Where(place => Enumerable.Range(0, categories)
                .Any(category => expected[category * places + place] >= TrainingDefaults.LeastLogit + 1e-3f))];

            Assert.Equal(expected, scores, (a, b) => Math.Abs(a - b) < 1e-4);
            Assert.Equal(4 * places, sides.Length);
            Assert.InRange(shown.Length, 1, places);
            Assert.All(shown, place => Assert.All(Enumerable.Range(0, 4),
                side => Assert.Equal(expectedSides[side * places + place], sides[side * places + place], 1e-4f)));
        }
    }

    [Fact]
    public void Many_may_ask_at_once()
    {
        OnnxRuntime.EnsureLoaded();
        var network = new HeadNetwork([8, 8, 8], categories: 2, width: 64);
        var random = new Random(4);
        var served = new ServedHead(network, network.Begin(random));
        using StageMaps small = Maps(network, 64, 96, random), large = Maps(network, 320, 224, random);
        var (one, other) = (served.Ask(small, Copy), served.Ask(large, Copy));

        Parallel.For(0, 40, i =>
        {
            Assert.Equal((i % 2 == 0 ? one : other).Scores, served.Ask(i % 2 == 0 ? small : large, Copy).Scores);
        });
    }

    private static (float[] Scores, float[] Sides) Copy(ReadOnlySpan<float> scores, ReadOnlySpan<float> sides) =>
        (scores.ToArray(), sides.ToArray());

    private static StageMaps Maps(HeadNetwork network, int width, int height, Random random) =>
        new(new Values([.. network.Inputs.Zip(DetectorBackbone.Strides, (channels, stride) => OrtValue.CreateTensorValueFromMemory(
            [.. Enumerable.Range(0, channels * (height / stride) * (width / stride)).Select(_ => random.NextSingle() - 0.5f)],
            [1, channels, height / stride, width / stride]))]));

    private sealed class Values(OrtValue[] values) : List<OrtValue>(values), IDisposableReadOnlyCollection<OrtValue>
    {
        public void Dispose() => ForEach(value => value.Dispose());
    }
}
