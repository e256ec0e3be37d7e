namespace Headstart.Operations;

/// <summary>The blob store does not answer, or not as it should. What it has stays there; whoever asked asks again later.</summary>
/// <param name="sentence">For the log and the console.</param>
/// <param name="passing">False where waiting does not help: the bucket is not there, or the keys are refused.</param>
/// <param name="cause">What its client said.</param>
public sealed class BlobStoreUnavailableException(string sentence, bool passing, Exception? cause = null) : Exception(sentence, cause)
{
    public bool IsPassing => passing;
}
