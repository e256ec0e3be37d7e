using System.Diagnostics;
using System.Globalization;

namespace Headstart.Benchmarks.Text;

/// <summary>scikit-learn on the same split: TF-IDF and logistic regression with defaults, and with pairs of words and a cross-validated
/// strength.</summary>
internal sealed record Peer(double Plain, double PlainF1, double Tuned, double TunedF1)
{
    /// <summary>Trains and tests with the interpreter named by PYTHON, which needs scikit-learn.</summary>
    public static Peer Run(TextSet train, TextSet test)
    {
        var folder = Directory.CreateTempSubdirectory("headstart-text-").FullName;
        try
        {
            train.Write(Path.Combine(folder, "train.tsv"));
            test.Write(Path.Combine(folder, "test.tsv"));
            var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("PYTHON")
                ?? "/usr/bin/python3")
            { RedirectStandardOutput = true };
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Peer.py"));
            start.ArgumentList.Add(folder);
            using var python = Process.Start(start)!;
            double[] values = [.. python.StandardOutput.ReadToEnd().Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
                .Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
            python.WaitForExit();
            return new(values[0], values[1], values[2], values[3]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
