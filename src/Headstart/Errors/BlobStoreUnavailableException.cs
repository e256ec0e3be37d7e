namespace Headstart.Errors;

/// <summary>The blob store is not responding or returned an error. No data is lost; callers retry later.</summary>
/// <param name="sentence">For the log and the console.</param>
/// <param name="passing">False if waiting does not help: the bucket does not exist, or the access keys are rejected.</param>
/// <param name="cause">The exception of the store's client.</param>
public sealed class BlobStoreUnavailableException(string sentence, bool passing, Exception? cause = null) : Exception(sentence, cause)
{
    public bool IsTransient => passing;
}
