using Headstart.Data;

namespace Headstart.Uploads;

/// <summary>How far an import is.</summary>
/// <param name="Progress">0 to 1.</param>
/// <param name="Total">Images, and rows and files that are none.</param>
/// <param name="Done">Those of them that were taken or rejected.</param>
/// <param name="Accepted">Images that the model has now.</param>
/// <param name="AlreadyThere">Those of them that it had before, so that nothing was stored.</param>
/// <param name="Rejected">What was not taken; under /rejections is why.</param>
/// <param name="Bytes">Of the accepted files.</param>
/// <param name="SecondsLeft">An estimate.</param>
/// <param name="Error">Why it failed and what to do. What was taken until then stays.</param>
public sealed record ImportProgress(
    Guid Id, Guid ModelId, JobState State, double Progress, int Total, int Done, int Accepted, int AlreadyThere, int Rejected, long Bytes,
    double? SecondsLeft, string? Error, DateTime CreatedAt, DateTime? FinishedAt)
{
    public static ImportProgress Of(Import import) => new(
        import.Id, import.ModelId, import.State, Math.Round((double)import.Done / import.Total, 3), import.Total, import.Done, import.Accepted, import.AlreadyThere,
        import.Rejected, import.Bytes, import.State == JobState.Running ? import.SecondsLeft : null, import.Error, import.CreatedAt, import.FinishedAt);
}
