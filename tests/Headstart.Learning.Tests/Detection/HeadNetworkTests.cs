using Google.Protobuf;
using Headstart.Learning.Detection;
using Headstart.Learning.Native;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Tests.Detection;

public sealed class HeadNetworkTests
{
    private const int Height = 64, Width = 96;
    private static readonly HeadNetwork Network = new([5, 6, 7], categories: 2, width: 16);

    [Fact]
    public void The_tape_and_ONNX_Runtime_say_the_same()
    {
        OnnxRuntime.EnsureLoaded();
        TorchRuntime.EnsureLoaded();
        var parameters = Parameters();
        var view = View();
        var (scores, sides) = new HeadTrainer(Network).Ask(parameters, view);
        using var session = new InferenceSession(OnnxOperators.Model(Network, parameters).ToByteArray());
        var at = 0;
        var maps = Network.Inputs.Select((channels, level) =>
        {
            var (h, w) = (Height / DetectorBackbone.Strides[level], Width / DetectorBackbone.Strides[level]);
            float[] values = [.. view.Maps.AsSpan(at, channels * h * w).ToArray().Select(value => (float)value)];
            at += values.Length;
            return OrtValue.CreateTensorValueFromMemory(values, [1, channels, h, w]);
        }).ToList();
        using var run = new RunOptions();
        using var outputs = session.Run(run, session.InputNames, maps, session.OutputNames);

        Assert.Equal(outputs[0].GetTensorDataAsSpan<float>().ToArray(), scores, (a, b) => Math.Abs(a - b) < 1e-3);
        Assert.Equal(outputs[1].GetTensorDataAsSpan<float>().ToArray(), sides, (a, b) => Math.Abs(a - b) < 1e-3);
        Assert.Equal(2 * new Places(Width, Height).Count, scores.Length);
        maps.ForEach(map => map.Dispose());
    }

    [Fact]
    public void The_tape_goes_back_as_differences_say()
    {
        TorchRuntime.EnsureLoaded();
        using var gradients = TorchSharp.torch.no_grad();
        var (parameters, random) = (Parameters(), new Random(3));
        var tape = new TapeOperators(Network);
        var weights = new float[6 * new Places(Width, Height).Count];
        foreach (ref var weight in weights.AsSpan())
        {
            weight = random.NextSingle() - 0.5f;
        }

        double Value(float[] at)
        {
            var (scores, sides) = Run(at);
            return scores.Values.Concat(sides.Values).Zip(weights, (value, weight) => (double)value * weight).Sum();
        }

        (HeadMap Scores, HeadMap Sides) Run(float[] at)
        {
            tape.Start(at);
            var start = 0;
            return Network.Run(tape, [.. Network.Inputs.Select((channels, level) =>
            {
                var (h, w) = (Height / DetectorBackbone.Strides[level], Width / DetectorBackbone.Strides[level]);
                start += channels * h * w;
                return tape.Input(View().Maps.AsSpan(start - channels * h * w, channels * h * w), channels, h, w);
            })]);
        }

        var ends = Run(parameters);
        weights.AsSpan(0, ends.Scores.Gradient.Length).CopyTo(ends.Scores.Gradient);
        weights.AsSpan(ends.Scores.Gradient.Length).CopyTo(ends.Sides.Gradient);
        tape.Back();
        float[] gradient = [.. tape.Gradient];

        // A few weights and a bias of every layer.
        foreach (var i in Network.Layers.SelectMany(layer => (int[])[layer.Offset, layer.Offset + layer.Weights / 2,
            layer.Offset + layer.Weights - 1, layer.Offset + layer.Length - 1]))
        {
            const float Step = 1e-2f;
            float[] more = [.. parameters], less = [.. parameters];
            (more[i], less[i]) = (more[i] + Step, less[i] - Step);
            var difference = (Value(more) - Value(less)) / (2 * Step);
            Assert.True(Math.Abs(difference - gradient[i]) < 0.02 * Math.Max(3, Math.Abs(difference)), $"{i}: {difference}, {gradient[i]}");
        }
    }

    [Fact]
    public void The_loss_falls_as_its_gradient_says()
    {
        var places = new Places(Width, Height);
        var random = new Random(5);
        float[] Random(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => scale * (random.NextSingle() - 0.5f))];
        var (scores, sides) = (Random(2 * places.Count, 4), Random(4 * places.Count, 2));
        Truth[] truth = [new(0, new(10, 12, 40, 50), false), new(1, new(50, 8, 91, 60), false), new(0, new(70, 40, 74, 43), false),
            new(1, new(0, 50, 20, 64), true)];
        var loss = new DetectionLoss(places, 2);
        Assert.True(loss.Assign(scores, sides, truth) > 0);
        var (scoreGradient, sideGradient) = (new float[scores.Length], new float[sides.Length]);
        double Value() => loss.Evaluate(scores, sides, truth, (new float[scores.Length], new float[sides.Length]));
        loss.Evaluate(scores, sides, truth, (scoreGradient, sideGradient));

        Assert.Contains(sideGradient, slope => slope != 0);
        foreach (var (values, gradient) in ((float[], float[])[])[(scores, scoreGradient), (sides, sideGradient)])
        {
            for (var i = 0; i < values.Length; i++)
            {
                const float Step = 2e-3f;
                var before = values[i];
                values[i] = before + Step;
                var more = Value();
                values[i] = before - Step;
                var difference = (more - Value()) / (2 * Step);
                values[i] = before;
                Assert.True(Math.Abs(difference - gradient[i]) < 0.02, $"{i}: {difference}, {gradient[i]}");
            }
        }
    }

    [Fact]
    public void Even_the_smallest_object_has_places_and_a_difficult_one_asks_for_nothing()
    {
        var places = new Places(Width, Height);
        var loss = new DetectionLoss(places, 1);
        var (scores, sides) = (new float[places.Count], new float[4 * places.Count]);

        Assert.True(loss.Assign(scores, sides, [new(0, new(15.9f, 15.9f, 16.1f, 16.1f), false)]) > 0);
        Assert.Equal(0, loss.Assign(scores, sides, [new(0, new(0, 0, 90, 60), true)]));
        var gradient = new float[scores.Length];
        loss.Evaluate(scores, sides, [new(0, new(0, 0, 90, 60), true)], (gradient, new float[sides.Length]));
        Assert.Equal(0, gradient[0]);
        Assert.NotEqual(0, gradient[Width / 8 - 1]); // beside it
    }

    private static float[] Parameters()
    {
        var random = new Random(1);
        return [.. Network.Begin(random).Select(value => value + 0.05f * (random.NextSingle() - 0.5f))];
    }

    private static DetectionView View()
    {
        var random = new Random(2);
        var count = Network.Inputs.Select((channels, level) => channels * (Height / DetectorBackbone.Strides[level])
            * (Width / DetectorBackbone.Strides[level])).Sum();
        return new(Width, Height, [.. Enumerable.Range(0, count).Select(_ => (Half)(random.NextSingle() - 0.5f))], []);
    }
}
