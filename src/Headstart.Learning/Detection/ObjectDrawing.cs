using System.Globalization;
using System.Security;
using Headstart.Learning.Imaging;
using NetVips;

namespace Headstart.Learning.Detection;

/// <summary>Draws found objects into an image.</summary>
public static class ObjectDrawing
{
    private const int LongestSide = 2_048; // pixels; larger images are scaled down
    private const int LinesOfSide = 300; // line width = longer side / 300
    private const int LettersOfSide = 40; // text height = longer side / 40
    private const int SmallestText = 12; // pixels
    private const int LongestName = 40; // characters

    /// <summary>Colours that also differ in lightness (Okabe and Ito), assigned to the categories in turn.</summary>
    private static readonly double[][] Colours =
    [
        [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167],
    ];

    /// <summary>
    /// A JPEG of the upright image with a box for each object in its category's colour, and with name and probability if the system has a
    /// font for them.
    /// </summary>
    /// <param name="file">The image's bytes.</param>
    /// <param name="objects">Most probable first; drawn last, above the others.</param>
    /// <param name="categories">Category names.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read.</exception>
    public static byte[] Draw(byte[] file, IReadOnlyList<DetectedObject> objects, IReadOnlyList<string> categories)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(objects);
        ArgumentNullException.ThrowIfNull(categories);
        using var picture = ImageReader.Decode(file, LongestSide, Enums.Interesting.None, Enums.Size.Down);
        using var drawn = picture.Mutate(canvas =>
        {
            foreach (var found in objects.Reverse())
            {
                Draw(canvas, found, categories[found.Category]);
            }
        });
        return drawn.JpegsaveBuffer(q: 88, keep: Enums.ForeignKeep.None);
    }

    private static void Draw(MutableImage canvas, DetectedObject found, string name)
    {
        var colour = Colours[found.Category % Colours.Length];
        var side = Math.Max(canvas.Width, canvas.Height);
        var (left, top) = ((int)(found.Box.X * canvas.Width), (int)(found.Box.Y * canvas.Height));
        var (width, height) = (Math.Max(1, (int)(found.Box.Width * canvas.Width)), Math.Max(1, (int)(found.Box.Height * canvas.Height)));
        for (var line = 0; line < Math.Max(2, side / LinesOfSide); line++)
        {
            canvas.DrawRect(colour, left + line, top + line, Math.Max(1, width - 2 * line), Math.Max(1, height - 2 * line));
        }

        using var text = Text($"{name} {found.Probability.ToString("0 %", CultureInfo.InvariantCulture)}",
            Math.Max(SmallestText, side / LettersOfSide));
        if (text is not null)
        {
            var y = Math.Max(0, top - text.Height);
            canvas.DrawRect(colour, left, y, text.Width, text.Height, fill: true);
            canvas.DrawMask([0], text, left, y);
        }
    }

    /// <returns>A mask; null if no font is installed, or none for these characters.</returns>
    private static Image? Text(string text, int pixels)
    {
        try
        {
            var shown = text.Length <= LongestName ? text : text[..LongestName].TrimEnd('\uD83C', '\uD83D', '\uD83E') + "…";
            using var mask = Image.Text(SecurityElement.Escape(shown), font: string.Create(CultureInfo.InvariantCulture,
                $"sans bold {0.75 * pixels:0}"), dpi: 96);
            return mask.Embed(pixels / 4, pixels / 8, mask.Width + pixels / 2, mask.Height + pixels / 4);
        }
        catch (VipsException)
        {
            return null;
        }
    }
}
