using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Uploads;

/// <summary>The <c>?size=</c> of endpoints that return images.</summary>
internal static class ThumbnailSize
{
    private const int Max = 2_048;

    /// <returns>Why it is refused; null if it is valid or absent.</returns>
    public static ProblemHttpResult? Refuse(int? size) => size is < 1 or > Max
        ? Problems.Of(StatusCodes.Status400BadRequest, "invalid-size", $"size must be between 1 and {Max} pixels.") : null;
}
