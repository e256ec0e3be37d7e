using Headstart.Data;
using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using Headstart.Reports;
using Headstart.Versions;

namespace Headstart.Training;

/// <summary>Features for a run.</summary>
/// <param name="Features">What its head will read.</param>
/// <param name="Report">Why; null where the run named them.</param>
/// <param name="Tried">The trial that won in this run; null where none was made.</param>
/// <param name="Others">Were made beside them and are not needed any more after the run.</param>
public sealed record ChosenFeatures(VersionFeatures Features, ChoiceReport? Report, Tried? Tried, IReadOnlyList<IDisposable>? Others = null) : IDisposable
{
    public void Dispose()
    {
        foreach (var other in Others ?? [])
        {
            other.Dispose();
        }
    }
}

/// <summary>How examples of a kind become vectors. Nothing else in a run differs between images and texts.</summary>
public interface IRunFeatures
{
    /// <summary>What the run names; else what suits the examples best.</summary>
    /// <exception cref="RunRefusedException">There is nothing to choose from.</exception>
    Task<ChosenFeatures> ChooseAsync(HeadstartDb db, ActiveRun run, Dataset data, StageProgress progress, TimeSpan budget, CancellationToken cancel);

    /// <summary>The vectors of examples; those that cannot be read any more are left out.</summary>
    Task<ReadItems> ReadAsync(HeadstartDb db, VersionFeatures features, IReadOnlyList<Dataset.Item> items, IProgress<double> progress, CancellationToken cancel);

    /// <summary>Pairs of examples that are the same thing twice.</summary>
    Task<IReadOnlyList<(int First, int Second)>> AlikeAsync(HeadstartDb db, ReadItems read, CancellationToken cancel);

    /// <summary>What the head must name to find its features again. Stores those that are this run's alone; if we die after that nothing refers to them.</summary>
    Task<IReadOnlyList<ArtifactPart>> KeepAsync(VersionFeatures features, CancellationToken cancel);
}
