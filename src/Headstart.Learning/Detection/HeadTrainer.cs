using System.Collections.Concurrent;
using System.Diagnostics;
using System.Numerics.Tensors;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>The training loop of a head. Each view is a forward and a backward pass on one thread; the views of a batch run in parallel,
/// and their gradients are added in order, so that the same seed gives the same head on the same machine.</summary>
internal sealed class HeadTrainer(HeadNetwork network, Action<CancellationToken>? giveWay = null)
{
    private readonly ConcurrentBag<TapeOperators> _tapes = [];

    /// <param name="from">Initial parameters; not changed.</param>
    /// <param name="views">Views to learn from.</param>
    /// <param name="plan">Steps, time limit, learning rate and seed.</param>
    /// <param name="report">Receives progress, 0..1.</param>
    /// <param name="cancel">Checked before each batch.</param>
    /// <returns>The averaged parameters.</returns>
    public float[] Train(float[] from, IReadOnlyList<DetectionView> views, TrainingPlan plan, Action<double> report,
        CancellationToken cancel)
    {
        var random = new Random(plan.Seed);
        float[] parameters = [.. from];
        var adam = new Adam(parameters);
        var order = new Queue<int>();
        var gradient = new float[network.Length];
        var start = Stopwatch.GetTimestamp();
        for (var (step, share) = (0, 0.0); share < 1; step++)
        {
            cancel.ThrowIfCancellationRequested();
            giveWay?.Invoke(cancel);
            // 1. A batch: every view is used once before any is repeated.
            var batch = new DetectionView[BatchViews];
            for (var i = 0; i < batch.Length; i++)
            {
                if (order.Count == 0)
                {
                    int[] shuffled = [.. Enumerable.Range(0, views.Count)];
                    random.Shuffle(shuffled);
                    order = new(shuffled);
                }

                batch[i] = views[order.Dequeue()];
            }

            // 2. Its gradient, divided by the sum of the target scores.
            var blames = new Blame[batch.Length];
            AllCores.For(batch.Length, i => blames[i] = Judge(parameters, batch[i]), cancel);
            Array.Clear(gradient);
            foreach (var blame in blames)
            {
                TensorPrimitives.Add(gradient, blame.Gradient, gradient);
            }

            TensorPrimitives.Divide(gradient, Math.Max(1, blames.Sum(blame => blame.Targets)), gradient);
            // 3. A step.
            adam.Step(gradient, plan.RateAt(share));
            share = plan.ShareAt(step + 1, Stopwatch.GetElapsedTime(start));
            report(share);
        }

        return adam.Average;
    }

    /// <summary>The objects that the head finds in a view, down to low scores, for each overlap in <see cref="SameObject"/>.</summary>
    public IReadOnlyList<Decoding.Found>[] Find(float[] parameters, DetectionView view)
    {
        var (scores, sides) = Ask(parameters, view);
        return [.. SameObject.Select(same => Decoding.Objects(new Places(view.Width, view.Height), scores, sides, (LeastLogit, same),
            MostObjects))];
    }

    /// <summary>Runs the head on a view.</summary>
    /// <returns>Logits <c>[k, places]</c> and sides <c>[4, places]</c>.</returns>
    internal (float[] Scores, float[] Sides) Ask(float[] parameters, DetectionView view)
    {
        var tape = new TapeOperators(network); // not a pooled one, whose buffers have the size of the training views
        tape.Start(parameters);
        var (scores, sides) = network.Run(tape, Maps(tape, view));
        return (ByChannel(scores.Values, scores), ByChannel(sides.Values, sides));
    }

    private Blame Judge(float[] parameters, DetectionView view)
    {
        var tape = _tapes.TryTake(out var free) ? free : new TapeOperators(network);
        tape.Start(parameters);
        var (scores, sides) = network.Run(tape, Maps(tape, view));
        var (said, box) = (ByChannel(scores.Values, scores), ByChannel(sides.Values, sides));
        var loss = new DetectionLoss(new Places(view.Width, view.Height), network.Categories);
        var targets = loss.Assign(said, box, view.Truth);
        var (scoreGradient, sideGradient) = (new float[said.Length], new float[box.Length]);
        loss.Evaluate(said, box, view.Truth, (scoreGradient, sideGradient));
        TapeOperators.Transpose(scoreGradient, scores.Gradient, scores.Channels, scores.Places);
        TapeOperators.Transpose(sideGradient, sides.Gradient, sides.Channels, sides.Places);
        tape.Back();
        var blame = new Blame([.. tape.Gradient], targets);
        _tapes.Add(tape);
        return blame;
    }

    private static float[] ByChannel(float[] values, HeadMap map)
    {
        var turned = new float[values.Length];
        TapeOperators.Transpose(values, turned, map.Places, map.Channels);
        return turned;
    }

    private HeadMap[] Maps(TapeOperators tape, DetectionView view)
    {
        var maps = new HeadMap[network.Inputs.Count];
        for (var (level, at) = (0, 0); level < maps.Length; level++)
        {
            var (height, width) = (view.Height / DetectorBackbone.Strides[level], view.Width / DetectorBackbone.Strides[level]);
            var length = network.Inputs[level] * height * width;
            maps[level] = tape.Input(view.Maps.AsSpan(at, length), network.Inputs[level], height, width);
            at += length;
        }

        return maps;
    }

    private sealed record Blame(float[] Gradient, float Targets);
}
