using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Uploads;

/// <summary>The <c>?size=</c> of addresses that give pictures.</summary>
internal static class ThumbnailSize
{
    private const int Max = 2_048;

    /// <returns>Why it is refused; null for a good one or none.</returns>
    public static ProblemHttpResult? Refuse(int? size) => size is < 1 or > Max
        ? Problems.Of(StatusCodes.Status400BadRequest, "invalid-size", $"size must be between 1 and {Max} pixels.") : null;
}
