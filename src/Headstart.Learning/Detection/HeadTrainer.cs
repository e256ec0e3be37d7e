using System.Collections.Concurrent;
using System.Diagnostics;
using System.Numerics.Tensors;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>The loop that trains a head. Each view is a forward and a backward pass on one thread; cores share the views of a batch,
/// and their gradients are added in order, so that the same seed gives the same head on the same machine.</summary>
internal sealed class HeadTrainer(HeadNetwork network, int cores, Action<CancellationToken>? giveWay = null)
{
    private readonly ConcurrentBag<TapeOperators> _tapes = [];

    /// <summary>Trains.</summary>
    /// <param name="from">Parameters to start from; not changed.</param>
    /// <param name="views">To learn from.</param>
    /// <param name="plan">How long and how fast.</param>
    /// <param name="report">Receives the share done.</param>
    /// <param name="cancel">Looked at before each batch.</param>
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
            // 1. A batch: every view once before any comes again.
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

            // 2. Its gradient, divided by how much there was to find.
            var blames = new Blame[batch.Length];
            Parallel.For(0, batch.Length, new ParallelOptions { MaxDegreeOfParallelism = cores },
                i => blames[i] = Judge(parameters, batch[i]));
            Array.Clear(gradient);
            foreach (var blame in blames)
            {
                TensorPrimitives.Add(gradient, blame.Gradient, gradient);
            }

            TensorPrimitives.Divide(gradient, Math.Max(1, blames.Sum(blame => blame.Targets)), gradient);
            // 3. A step: warm-up, then half a cosine.
            adam.Step(gradient, plan.RateAt(share));
            share = plan.ShareAt(step + 1, Stopwatch.GetElapsedTime(start));
            report(share);
        }

        return adam.Average;
    }

    /// <summary>What the head finds in a view, from low scores on: for each of <see cref="SameObject"/>.</summary>
    public IReadOnlyList<Decoding.Found>[] Find(float[] parameters, DetectionView view)
    {
        var (scores, sides) = Ask(parameters, view);
        return [.. SameObject.Select(same => Decoding.Objects(new Places(view.Width, view.Height), scores, sides, (LeastLogit, same),
            MostObjects))];
    }

    /// <summary>What the head says of a view.</summary>
    /// <returns><c>[k, places]</c> and <c>[4, places]</c></returns>
    internal (float[] Scores, float[] Sides) Ask(float[] parameters, DetectionView view)
    {
        var tape = new TapeOperators(network); // not a used one, whose buffers have the size of the views to learn from
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
        loss.Evaluate(said, box, view.Truth, 1, (scoreGradient, sideGradient));
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

/// <summary>How long and how fast a head learns.</summary>
/// <param name="Steps">Batches.</param>
/// <param name="Seed">Decides the order of the views.</param>
/// <param name="Rate">Highest rate of learning.</param>
/// <param name="Limit">After which it ends all the same; null for none, and the same head each time.</param>
internal sealed record TrainingPlan(int Steps, int Seed, TimeSpan? Limit = null, float Rate = HighestRate)
{
    /// <param name="views">To learn from.</param>
    /// <param name="places">Of a view: large views are seen less often.</param>
    /// <param name="share">Of a training from the start; 1 for the whole.</param>
    /// <param name="all">Shares of all trainings of the run.</param>
    public static int StepsFor(int views, int places, double share, double all)
    {
        var most = Math.Max(FewestSteps, (int)(MostWork / all / BatchViews / Math.Max(1, places)));
        return Math.Max(1, (int)(Math.Clamp(views * PassesOfViews / BatchViews, FewestSteps, most) * share));
    }

    /// <summary>Of the training, by steps or by time.</summary>
    public double ShareAt(int steps, TimeSpan elapsed) => Math.Max((double)steps / Steps, Limit is { } limit ? elapsed / limit : 0);

    /// <summary>Warm-up, then half a cosine.</summary>
    public float RateAt(double share)
    {
        var warm = Math.Max(1.0 / Steps, WarmUp);
        return share < warm ? Rate * (float)Math.Min(1, (share + 1.0 / Steps) / warm)
            : Rate * (0.01f + 0.99f * (1 + MathF.Cos(MathF.PI * (float)((share - warm) / Math.Max(1e-9, 1 - warm)))) / 2);
    }
}
