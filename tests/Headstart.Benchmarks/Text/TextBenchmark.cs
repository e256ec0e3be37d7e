using Headstart.Learning.Texts;

namespace Headstart.Benchmarks.Text;

/// <summary><c>text [section…]</c>: what the README says of texts.</summary>
internal static class TextBenchmark
{
    public static int Run(string[] sections, string shared)
    {
        var sst2 = Path.Combine(shared, "datasets", "text", "sst2");
        var (train, test) = (TextSet.Read(Path.Combine(sst2, "train.tsv")), TextSet.Read(Path.Combine(sst2, "test.tsv")));
        var (registered, _) = RegisteredText.Find([Path.Combine(shared, "backbones")]);
        var candidates = TextCandidates.Fit(new TextCorpus(train.Texts, []), registered, 1, null, CancellationToken.None);
        foreach (var candidate in candidates.Where(c => sections.Length == 0 || sections.Contains(c.Id)))
        {
            var tested = candidate.Of(test.Texts);
            foreach (var n in (int[])[10, 100, 500])
            {
                List<double> accuracies = [];
                for (var draw = 0; draw < (n == 10 ? 20 : 5); draw++)
                {
                    var (drawn, _) = train.Draw(n, new Random(draw));
                    var trial = TextTrial.Run(candidate, new(candidate.Of(drawn.Texts), drawn.Labels, drawn.Categories), 1, 1, CancellationToken.None);
                    var head = Headstart.Learning.Heads.HeadTraining.Train(new(candidate.Of(drawn.Texts), drawn.Labels, drawn.Categories), trial.Validation.Method, CancellationToken.None);
                    accuracies.Add(tested.Zip(test.Labels, (f, label) => head.Best(f) == label ? 1.0 : 0).Average());
                }

                Console.Write($"{candidate.Id} {2 * n} {accuracies.Average():0.0000}   ");
            }

            Console.WriteLine();
        }

        return 0;
    }
}
