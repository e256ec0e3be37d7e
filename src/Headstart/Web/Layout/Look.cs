using MudBlazor;

namespace Headstart.Web.Layout;

/// <summary>Colours and fonts of all pages, the same as in the report. The browser tests check the contrast.</summary>
internal static class Look
{
    private static readonly string[] Letters = ["system-ui", "sans-serif"]; // system fonts only: nothing is downloaded

    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight()
        {
            Primary = "#2563eb",
            Secondary = "#c2410c",
            Background = "#ffffff",
            Surface = "#ffffff",
            TextPrimary = "#1c2330",
            TextSecondary = "#566071",
            Error = "#b91c1c",
            Success = "#15803d",
            Warning = "#a16207",
            Info = "#2563eb",
            LinesDefault = "#dde1e7",
        },
        PaletteDark = new PaletteDark()
        {
            Primary = "#7aa5ff",
            PrimaryContrastText = "#10131a",
            Secondary = "#fb923c",
            SecondaryContrastText = "#10131a",
            Background = "#14171d",
            Surface = "#1d222b",
            TextPrimary = "#e6e9ef",
            TextSecondary = "#9aa4b5",
            Error = "#fca5a5",
            ErrorContrastText = "#10131a",
            Success = "#86efac",
            Warning = "#fcd34d",
            Info = "#7aa5ff",
            LinesDefault = "#343b48",
        },
        Typography = new()
        {
            Default = new DefaultTypography { FontFamily = Letters },
            Button = new ButtonTypography { FontFamily = Letters, TextTransform = "none", FontWeight = "600" },
        },
        LayoutProperties = new() { DefaultBorderRadius = "8px" },
    };
}
