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
        foreach (var only in sections)
        {
            using var all = TextTraining.Run(train, [], registered, only: only);
            Console.WriteLine($"{only} {all.Features.Length} all {all.Accuracy(test):0.0000} {all.Seconds:0.0} s {all.Choice.Chosen.Validation.Method} {all.Features.MsPerText:0.00} ms");
            foreach (var n in (int[])[10, 100])
            {
                List<double> accuracies = [];
                for (var draw = 0; draw < 10; draw++)
                {
                    var (drawn, rest) = train.Draw(n, new Random(draw));
                    using var some = TextTraining.Run(drawn, rest.Texts, registered, only: only);
                    accuracies.Add(some.Accuracy(test));
                }

                Console.WriteLine($"{only} {2 * n} {accuracies.Average():0.0000}");
            }
        }

        return 0;
    }
}
