using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Uploads;

/// <summary>An upload is refused, as a whole or from this point on; the message is the problem's detail.</summary>
public sealed class UploadRefusedException(int status, string type, string sentence) : Exception(sentence)
{
    /// <summary>A stable slug.</summary>
    public string Type => type;

    public ProblemHttpResult Problem() => Problems.Of(status, type, Message);

    internal static UploadRefusedException Invalid(string type, string sentence) => new(StatusCodes.Status422UnprocessableEntity, type, sentence);

    internal static UploadRefusedException TooLarge(string type, string sentence) => new(StatusCodes.Status413PayloadTooLarge, type, sentence);
}
