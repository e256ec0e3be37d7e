using System.Globalization;
using Headstart.Data;
using Headstart.Models;
using Headstart.Reports;

namespace Headstart.Web;

/// <summary>Formats numbers and states for the pages.</summary>
internal static class Say
{
    public const string NoCamera = "Camera unavailable or permission denied. Browsers allow the camera only over HTTPS or on localhost.";

    public const string CopyYourself = "Select the text and copy it";

    private const int FewNames = 6;
    private const int Hues = 8; // in headstart.css

    public static string Percent(double share) => Advice.Percent(share);

    public static string PercentOrDash(double? share) => share is { } known ? Percent(known) : "–";

    public static string Between(IReadOnlyList<double>? interval) => interval is [var low, var high]
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * low:0.#} to {100 * high:0.#} %") : "–";

    public static string Points(double? difference) => difference is not { } known ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{(known >= 0 ? "+" : "−")}{Math.Abs(100 * known):0.#}");

    public static string Count(int count, string one, string? several = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:#,0} {(count == 1 ? one : several ?? one + "s")}");

    public static string Categories(ModelResponse model)
    {
        var names = model.Categories.Take(FewNames).Select(category => category.Name);
        var more = model.Categories.Count - FewNames;
        return model.Categories.Count == 0 ? "no categories yet"
            : $"{string.Join(", ", names)}{(more > 0 ? $" and {more} more" : "")} · "
                + $"{Count(model.Categories.Sum(c => c.ImageCount), model.Kind.Noun())}";
    }

    /// <summary>The CSS classes of a category's colour; label-panel.js uses the same.</summary>
    public static string Hue(int category) => $"hue-{category % Hues}{(category < Hues ? "" : " second")}";

    public static string Run(JobState state) => state switch
    {
        JobState.Queued => "queued",
        JobState.Running => "training",
        JobState.Succeeded => "done",
        JobState.Failed => "failed",
        _ => "cancelled",
    };

    public static string Seconds(double seconds) => seconds < 1.5 ? "about a second"
        : seconds < 90 ? string.Create(CultureInfo.InvariantCulture, $"about {seconds:0} seconds")
        : string.Create(CultureInfo.InvariantCulture, $"about {seconds / 60:0} minutes");

    public static string When(DateTime time) => time.ToString("d MMM yyyy, HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
