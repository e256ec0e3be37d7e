using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Errors;

/// <summary>
/// A request or job cannot continue, for a reason that its user can act on. Code below a handler refuses only with this exception: a
/// request is answered with <see cref="Problem"/>, a job fails with its sentence.
/// </summary>
public sealed class RefusedException(ProblemHttpResult problem) : Exception(problem.ProblemDetails.Detail)
{
    public RefusedException(int status, string type, string sentence)
        : this(Problems.Of(status, type, sentence))
    {
    }

    public ProblemHttpResult Problem => problem;

    public static RefusedException Invalid(string type, string sentence) => new(Problems.Invalid(type, sentence));

    public static RefusedException TooLarge(string type, string sentence) => new(StatusCodes.Status413PayloadTooLarge, type, sentence);

    public static void ThrowIf(ProblemHttpResult? refusal)
    {
        if (refusal is not null)
        {
            throw new RefusedException(refusal);
        }
    }
}
