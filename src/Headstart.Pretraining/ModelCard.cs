using System.Globalization;
using System.Text;
using Headstart.Learning.Backbones;

namespace Headstart.Pretraining;

/// <summary>One row of the table of results; accuracies 0..1.</summary>
public sealed record Figure(string Set, double Test, double CrossValidated);

/// <summary>Describes a finished backbone in Markdown: size, origin, training and accuracy.</summary>
public static class ModelCard
{
    public static string Of(
        PretrainingSettings settings, int photographs, BackboneManifest teacher, Student student, IReadOnlyList<Figure> figures, string file)
    {
        var card = new StringBuilder();
        Line($"# {settings.Id}");
        Line($"");
        var convolutions = student.Steps.Count(step => step.Convolution is not null);
        Line($"A network of {convolutions} convolutions that turns a photograph of {settings.ReadSize} x {settings.ReadSize} pixels into {student.Features} features: {new FileInfo(file).Length:N0} bytes, weights in float16.");
        Line($"");
        Line($"- **Made from** {teacher.Id} ({teacher.Licence}): {teacher.Source.TrimEnd('.')}. It began as that network without every second residual block.");
        Line($"- **Made by** distilling the last feature map of that network, place by place, on unlabelled photographs: {settings.Epochs} epochs of {photographs:N0} photographs, a new view of each in every epoch, {settings.InputSize} x {settings.InputSize} pixels, seed {settings.Seed}.");
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
