namespace Headstart.Web;

/// <summary>Tells which answers were overtaken: a later request may be answered first, and an older answer lacks what changed between
/// them.</summary>
internal sealed class AnswerOrder
{
    private int _asked;
    private int _answered;

    /// <returns>The number of a request, for <see cref="IsNews"/>.</returns>
    public int Ask() => ++_asked;

    /// <summary>Whether no later request was answered before; false means that the answer is out of date.</summary>
    public bool IsNews(int request)
    {
        if (request < _answered)
        {
            return false;
        }

        _answered = request;
        return true;
    }
}
