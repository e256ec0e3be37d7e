using Headstart.Data;
using Headstart.Reports;

namespace Headstart.Training;

/// <summary>What a run has made, before it is published.</summary>
/// <param name="Backbone">Id of the features.</param>
/// <param name="Artifact">The head to serve.</param>
/// <param name="Evaluated">The head that has not learned from the held-out examples; null if there is none.</param>
/// <param name="Learned">The examples that the evaluated head learned from.</param>
/// <param name="Report">The report, without the fields that <see cref="VersionWriter"/> fills for all kinds.</param>
/// <param name="Candidate">What is compared with the published version.</param>
internal sealed record MadeVersion(string Backbone, byte[] Artifact, byte[]? Evaluated, IReadOnlyList<Guid> Learned, Report Report,
    Candidate Candidate);

/// <summary>
/// How a kind of model chooses, extracts, trains and evaluates. What comes before and after, from freezing the examples to publishing, is
/// the same for all kinds (<see cref="TrainingJob"/>).
/// </summary>
internal interface IRunSteps
{
    /// <summary>Whether the run can be made with these steps; no two suit the same run.</summary>
    bool Suits(Dataset data, TrainingRun run);

    /// <param name="db">Used by this run only.</param>
    /// <param name="run">What it reports, and how long it has.</param>
    /// <param name="data">The frozen examples.</param>
    /// <param name="cancel">Cancelled when the run should stop.</param>
    /// <exception cref="Errors.RefusedException">The examples or this host do not allow it.</exception>
    /// <exception cref="Learning.Heads.HeadTrainingException">There is nothing to learn from.</exception>
    Task<MadeVersion> MakeAsync(HeadstartDb db, ActiveRun run, Dataset data, CancellationToken cancel);
}
