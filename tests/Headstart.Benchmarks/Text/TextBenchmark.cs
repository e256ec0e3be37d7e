using System.Diagnostics;
using Headstart.Learning.Backbones;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;

namespace Headstart.Benchmarks.Text;

/// <summary><c>text [toy] [draws] [sst2] [sms] [sentences] [time]</c>: the measurements of texts in docs/measurements.md.</summary>
internal static class TextBenchmark
{
    private const int FewDraws = 5;

    public static int Run(string[] sections, string shared)
    {
        var sets = Path.Combine(shared, "datasets", "text");
        var (registered, problems) = RegisteredText.Find([Path.Combine(shared, "backbones")]);
        foreach (var problem in problems)
        {
            Console.Error.WriteLine(problem);
        }

        var all = new Dictionary<string, Action>
        {
            ["toy"] = () => Toy(Path.Combine(sets, "toy_62_8_2"), registered),
            ["draws"] = () => Draws(Path.Combine(sets, "sst2"), registered),
            ["sst2"] = () => Sst2(Path.Combine(sets, "sst2"), registered),
            ["sms"] = () => Sms(Path.Combine(sets, "sms_spam"), registered),
            ["sentences"] = () => Sentences(sets),
            ["time"] = () => Time(sets, registered),
        };
        foreach (var section in sections.Length > 0 ? sections : [.. all.Keys])
        {
            Console.WriteLine($"## {section}");
            all[section]();
        }

        return 0;
    }

    /// <summary>The toy example: 62 unlabelled sentences, 8 labelled, 2 to test, and 200 more.</summary>
    private static void Toy(string folder, IReadOnlyList<RegisteredText> registered)
    {
        var train = TextSet.Read(Path.Combine(folder, "train_8.tsv"));
        string[] unlabelled = [.. File.ReadLines(Path.Combine(folder, "unlabelled_62.tsv")).Skip(1)
            .Select(line => line.Split('\t', 2)[^1])];
        foreach (var (name, texts, files) in ((string, string[], IReadOnlyList<RegisteredText>)[])[("8 labelled alone", [], []),
            ("and 62 unlabelled", unlabelled, []), ("and GloVe", unlabelled, registered)])
        {
            using var run = TextTraining.Run(train, texts, files);
            var (two, more) = (TextSet.Read(Path.Combine(folder, "test_2.tsv")), TextSet.Read(Path.Combine(folder, "test_more_200.tsv")));
            Console.WriteLine($"{name}: chosen {run.Features.Id}, {run.Accuracy(two) * two.Count:0} of 2, {run.Accuracy(more):0.000} of "
                + $"200, {run.Seconds:0.0} s");
        }
    }

    /// <summary>The benefit of 62 unlabelled sentences, over a hundred draws.</summary>
    private static void Draws(string folder, IReadOnlyList<RegisteredText> registered)
    {
        var pool = TextSet.Read(Path.Combine(folder, "train.tsv"));
        var test = TextSet.Read(Path.Combine(folder, "test.tsv"));
        string[] names = ["8 labelled alone", "and 62 unlabelled", "and GloVe"];
        var (two, more) = (names.ToDictionary(n => n, _ => new List<double>()), names.ToDictionary(n => n, _ => new List<double>()));
        for (var draw = 0; draw < 100; draw++)
        {
            var random = new Random(draw);
            var (eight, others) = pool.Draw(4, random);
            string[] unlabelled = [.. others.Texts.Take(62)];
            var (pair, rest) = test.Draw(1, random);
            var (hundreds, _) = rest.Draw(100, random);
            foreach (var (name, texts, files) in ((string, string[], IReadOnlyList<RegisteredText>)[])[(names[0], [], []),
                (names[1], unlabelled, []), (names[2], unlabelled, registered)])
            {
                using var run = TextTraining.Run(eight, texts, files);
                two[name].Add(run.Accuracy(pair));
                more[name].Add(run.Accuracy(hundreds));
            }
        }

        foreach (var name in names)
        {
            Console.WriteLine($"{name}: of 2 {Spread(two[name])}, of 200 {Spread(more[name])}; less the first "
                + $"{Spread([.. more[name].Zip(more[names[0]], (a, b) => a - b)])}");
        }
    }

    private static void Sst2(string folder, IReadOnlyList<RegisteredText> registered)
    {
        var (train, test) = (TextSet.Read(Path.Combine(folder, "train.tsv")), TextSet.Read(Path.Combine(folder, "test.tsv")));
        foreach (var (perCategory, draws) in ((int, int)[])[(10, FewDraws), (100, FewDraws), (int.MaxValue, 1)])
        {
            var (own, bare, peers, chosen) = (new List<double>(), new List<double>(), new List<Peer>(), new List<string>());
            for (var draw = 0; draw < draws; draw++)
            {
                var (drawn, others) = train.Draw(perCategory, new Random(draw));
                using var run = TextTraining.Run(drawn, others.Texts, registered);
                own.Add(run.Accuracy(test));
                chosen.Add(run.Features.Id);
                using var without = TextTraining.Run(drawn, others.Texts, []);
                bare.Add(without.Accuracy(test));
                peers.Add(Peer.Run(drawn, test));
            }

            Console.WriteLine($"{(perCategory == int.MaxValue ? train.Count : 2 * perCategory)} labelled: {Spread(own)}, without GloVe "
                + $"{Spread(bare)}, "
                + $"scikit-learn {Spread([.. peers.Select(p => p.Plain)])}, tuned {Spread([.. peers.Select(p => p.Tuned)])}; chosen "
                + $"{string.Join(", ", chosen.CountBy(c => c).Select(c => $"{c.Key} x{c.Value}"))}");
        }
    }

    /// <summary>Four fifths to train, one fifth to test, the same for both.</summary>
    private static void Sms(string folder, IReadOnlyList<RegisteredText> registered)
    {
        var all = TextSet.Read(Path.Combine(folder, "all.tsv"));
        int[] order = [.. Enumerable.Range(0, all.Count)];
        new Random(1).Shuffle(order);
        var (test, train) = (all.Some(order[..(all.Count / 5)]), all.Some(order[(all.Count / 5)..]));
        using var run = TextTraining.Run(train, [], registered);
        var evaluation = Evaluation.Of(test.Labels, run.Answers(test.Texts), test.Categories);
        var spam = evaluation.Classes.Single(c => c.Category == "spam");
        var peer = Peer.Run(train, test);
        Console.WriteLine($"sms_spam, {train.Count} / {test.Count}: accuracy {evaluation.Accuracy:0.0000}, F1 of spam "
            + $"{2 * spam.Precision * spam.Recall / (spam.Precision + spam.Recall):0.0000}, "
            + $"scikit-learn {peer.Plain:0.0000} {peer.PlainF1:0.0000}, tuned {peer.Tuned:0.0000} {peer.TunedF1:0.0000}; chosen "
            + $"{run.Features.Id}, {run.Seconds:0} s");
    }

    /// <summary>The sentence network that comes with the program, over ten draws: the choice, and each candidate. Features are learned
    /// once, because they never see a label.</summary>
    private static void Sentences(string sets)
    {
        var (bundled, _) = RegisteredText.Find([BackboneFolders.Bundled]);
        var (train, test) = (TextSet.Read(Path.Combine(sets, "sst2", "train.tsv")), TextSet.Read(Path.Combine(sets, "sst2", "test.tsv")));
        var corpus = new TextCorpus([.. train.Texts.Take(200)], [.. train.Texts.Skip(200)]);
        var candidates = TextCandidates.Fit(corpus, bundled, seed: 1, null, CancellationToken.None);
        var unseen = candidates.ToDictionary(candidate => candidate.Id, candidate => candidate.Of(test.Texts));
        foreach (var perCategory in (int[])[10, 100])
        {
            var accuracies = new Dictionary<string, List<double>>();
            for (var draw = 0; draw < 2 * FewDraws; draw++)
            {
                var (drawn, _) = train.Draw(perCategory, new Random(draw));
                var choice = TextChoice.Make(candidates, drawn.Texts, drawn.Labels, drawn.Categories, seed: 1, null,
                    CancellationToken.None);
                foreach (var trial in choice.Trials)
                {
                    var head = HeadTraining.Train(new(trial.Features.Of(drawn.Texts), drawn.Labels, drawn.Categories),
                        trial.Validation.Method, CancellationToken.None);
                    var accuracy = unseen[trial.Id].Zip(test.Labels, (f, label) => head.Best(f) == label ? 1.0 : 0).Average();
                    string[] rows = trial == choice.Chosen ? ["chosen", trial.Id] : [trial.Id];
                    rows.ToList().ForEach(row => (accuracies.TryGetValue(row, out var all) ? all : accuracies[row] = []).Add(accuracy));
                }
            }

            foreach (var (row, all) in accuracies.OrderByDescending(pair => pair.Value.Average()))
            {
                Console.WriteLine($"{2 * perCategory} labelled, {row}: {Spread(all)}");
            }
        }

        candidates.ToList().ForEach(candidate => candidate.Dispose());
        Sms(Path.Combine(sets, "sms_spam"), bundled);
    }

    /// <summary>Ten thousand labelled texts from start to end, a hundred thousand unlabelled ones, and one prediction.</summary>
    private static void Time(string sets, IReadOnlyList<RegisteredText> registered)
    {
        var reviews = ((string[])["train.tsv", "test.tsv", "dev.tsv"]).Select(file => TextSet.Read(Path.Combine(sets, "sst2", file)))
            .ToList();
        var sst2 = new TextSet([.. reviews.SelectMany(set => set.Texts)], [.. reviews.SelectMany(set => set.Labels)],
            reviews[0].Categories);
        var labelled = sst2.Some(Enumerable.Range(0, 10_000).Select(i => i % sst2.Count));
        using (var run = TextTraining.Run(labelled, [], registered))
        {
            Console.WriteLine($"10,000 labelled texts: {run.Seconds:0.0} s, "
                + $"{Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds:0.0} s of one core, chosen {run.Features.Id}, "
                + $"{Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB at most");
            var started = Stopwatch.GetTimestamp();
            foreach (var text in sst2.Texts.Take(1_000))
            {
                run.Head.Probabilities(run.Features.Of(text));
            }

            var longest = string.Join(' ', sst2.Texts)[..Tokens.MaxLength];
            var one = Stopwatch.GetTimestamp();
            run.Head.Probabilities(run.Features.Of(longest));
            Console.WriteLine($"one prediction: {Stopwatch.GetElapsedTime(started, one).TotalMilliseconds / 1_000:0.000} ms; of "
                + $"{Tokens.MaxLength} characters {Stopwatch.GetElapsedTime(one).TotalMilliseconds:0.0} ms");
        }

        var random = new Random(1);
        string[] words = [.. sst2.Texts.SelectMany(text => text.Split(' '))];
        string[] many = [.. Enumerable.Range(0, 100_000)
            .Select(_ => string.Join(' ', Enumerable.Range(0, 20).Select(_ => words[random.Next(words.Length)])))];
        using (var run = TextTraining.Run(reviews[0].Draw(500, random).Drawn, many, registered))
        {
            Console.WriteLine($"100,000 unlabelled texts: {run.Seconds:0.0} s, {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB "
                + "at most");
        }
    }

    /// <summary>Mean and half the width of its 95 % interval.</summary>
    private static string Spread(List<double> values)
    {
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / Math.Max(1, values.Count - 1));
        return values.Count == 1 ? $"{mean:0.0000}" : $"{mean:0.0000} ± {1.96 * deviation / Math.Sqrt(values.Count):0.0000}";
    }
}
