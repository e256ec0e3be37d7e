using System.Globalization;
using System.Text;

namespace Headstart.Pretraining;

/// <summary>One line of the table of results.</summary>
public sealed record Figure(string Set, double Test, double CrossValidated);

/// <summary>What a finished backbone is, is made of, can do and cannot do.</summary>
public static class ModelCard
{
    public static string Of(PretrainingSettings settings, int photographs, IReadOnlyList<Teacher> teachers, IReadOnlyList<Figure> figures, string file)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(teachers);
        ArgumentNullException.ThrowIfNull(figures);
        var card = new StringBuilder();
        Line($"# {settings.Id}");
        Line($"");
        Line($"A residual network of plain 3 x 3 convolutions that turns a photograph of {settings.InputSize} x {settings.InputSize} pixels into {Student.Features} features: {new FileInfo(file).Length:N0} bytes, weights in float16.");
        Line($"");
        Line($"- **Made by** distilling the last feature maps of its teachers, place by place, on unlabelled photographs: {settings.Epochs} epochs of {photographs:N0} photographs in {settings.Views} views each, seed {settings.Seed}.");
        foreach (var teacher in teachers)
        {
            Line($"- **Teacher** {teacher.Manifest.Id} ({teacher.Manifest.Licence}): {teacher.Manifest.Source}.");
        }

        if (figures.Count > 0)
        {
            Line($"");
            Line($"| set | test accuracy of a linear head | cross-validated on its training images |");
            Line($"| --- | --- | --- |");
            foreach (var figure in figures.Append(new Figure("mean", figures.Average(f => f.Test), figures.Average(f => f.CrossValidated))))
            {
                Line($"| {figure.Set} | {figure.Test:0.000} | {figure.CrossValidated:0.000} |");
            }
        }

        return card.ToString();

        void Line(FormattableString line) => card.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
