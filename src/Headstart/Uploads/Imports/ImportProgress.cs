using Headstart.Data;
using Headstart.Jobs;

namespace Headstart.Uploads.Imports;

/// <summary>An import and its progress.</summary>
/// <param name="Progress">0 to 1.</param>
/// <param name="Total">Number of images, including rows and files that are not images.</param>
/// <param name="Done">How many of them have been accepted or rejected.</param>
/// <param name="Accepted">Images that the model now has.</param>
/// <param name="AlreadyThere">Accepted images that the model already had, so nothing was stored.</param>
/// <param name="Rejected">Images that were rejected; /rejections lists the reasons.</param>
/// <param name="Bytes">Size of the accepted files, in bytes.</param>
/// <param name="SecondsLeft">Estimated seconds left.</param>
/// <param name="Notices">What you should know, such as what was left out or, once it has ended, new categories whose names differ only
/// in case, as sentences.</param>
/// <param name="Error">Why it failed and what to do. Images added before the failure stay.</param>
public sealed record ImportProgress(
    Guid Id, Guid ModelId, JobState State, double Progress, int Total, int Done, int Accepted, int AlreadyThere, int Rejected, long Bytes,
    double? SecondsLeft, IReadOnlyList<string> Notices, string? Error, DateTime CreatedAt, DateTime? FinishedAt)
    : IShownJob
{
    public static ImportProgress Of(Import import) => new(
        import.Id, import.ModelId, import.State, Math.Round((double)import.Done / import.Total, 3), import.Total, import.Done,
        import.Accepted, import.AlreadyThere,
        import.Rejected, import.Bytes, import.State == JobState.Running ? import.SecondsLeft : null,
        import.Notices, import.Error, import.CreatedAt,
        import.FinishedAt);
}
