using Headstart.Learning.Imaging;

namespace Headstart.Reports;

/// <summary>Names of flaws for people.</summary>
internal static class FlawWords
{
    public static string Of(ImageFlaws flaw) => flaw switch
    {
        ImageFlaws.Blurred => "blurred",
        ImageFlaws.Dark => "nearly black",
        ImageFlaws.Bright => "nearly white",
        ImageFlaws.Empty => "almost one colour",
        ImageFlaws.OddShape => "very long or very wide",
        ImageFlaws.Graphic => "screenshots, charts or drawings",
        ImageFlaws.Tiny => "very small",
        _ => "",
    };
}
