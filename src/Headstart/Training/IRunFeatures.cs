using Headstart.Data;
using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using Headstart.Learning.Words;
using Headstart.Reports;
using Headstart.Versions;

namespace Headstart.Training;

/// <summary>The features chosen for a run.</summary>
/// <param name="Features">The features that its head will read.</param>
/// <param name="Report">Why they were chosen; null if the run named them.</param>
/// <param name="Tried">The winning trial of this run; null if there were no trials.</param>
/// <param name="Others">Other features computed on the way, not needed after the run.</param>
public sealed record ChosenFeatures(VersionFeatures Features, ChoiceReport? Report, Tried? Tried, IReadOnlyList<IDisposable>? Others = null)
    : IDisposable
{
    /// <summary>The words of the categories, and the pairs that read them.</summary>
    public CategoryWords Words { get; init; } = CategoryWords.None;

    /// <summary>The head made from the words, see <see cref="LabelledFeatures.Prior"/>; null if no pair computes the features.</summary>
    public DenseLayer? Prior { get; init; }

    public void Dispose()
    {
        foreach (var other in Others ?? [])
        {
            other.Dispose();
        }
    }
}

/// <summary>How examples of a kind become vectors. The rest of a run is the same for images and texts.</summary>
public interface IRunFeatures
{
    /// <summary>The features that the run names, or else those that suit the examples best.</summary>
    /// <exception cref="RefusedException">No features are available.</exception>
    Task<ChosenFeatures> ChooseAsync(HeadstartDb db, ActiveRun run, Dataset data, StageProgress progress, CancellationToken cancel);

    /// <summary>The vectors of the examples, without those that can no longer be read.</summary>
    Task<ReadItems> ReadAsync(HeadstartDb db, VersionFeatures features, IReadOnlyList<Dataset.Item> items, IProgress<double> progress,
        CancellationToken cancel);

    /// <summary>Pairs of near duplicates.</summary>
    Task<IReadOnlyList<(int First, int Second)>> AlikeAsync(HeadstartDb db, ReadItems read, CancellationToken cancel);

    /// <summary>
    /// The references by which a stored head finds its features again. Stores features that belong to this run only; if the process dies
    /// afterwards, nothing refers to them.
    /// </summary>
    Task<IReadOnlyList<ArtifactPart>> KeepAsync(VersionFeatures features, CancellationToken cancel);
}
