namespace Headstart.Data;

public enum JobState
{
    Queued,
    Running,

    /// <summary>Waits for a user. Only image searches do.</summary>
    Reviewing,
    Succeeded,
    Failed,
    Cancelled,
}

public static class JobStates
{
    public static bool HasEnded(this JobState state) => state is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
}
