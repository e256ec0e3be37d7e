namespace Headstart.Benchmarks.Serving;

/// <summary>
/// Predictions compared with two servers as a user would write them: FastAPI with torch and PIL, and Node with ONNX Runtime and sharp. Same
/// photographs, same weights, same head, one photograph per request; each as one process and as one per core, whichever is faster.
/// </summary>
internal static class Peers
{
    private const string PythonModules = "fastapi, uvicorn, torch, torchvision, PIL";
    private static readonly int[] Concurrencies = [2, 8];

    public static async Task MeasureAsync(Bench bench, ResultTable table)
    {
        table.Section("Peers: predictions/s, median (least..most), the better of 2 and 8 requests at once; accuracy on the same test "
            + "photographs");
        var files = Directory.CreateTempSubdirectory("headstart-peers-").FullName;
        var peers = new List<Peer>();
        try
        {
            PeerFiles.WriteWeights(bench.Find(Bench.BackboneId).Path, files);
            PeerFiles.WriteHead((await PeerFiles.ReadHeadAsync(bench.Host, bench.Model)).Head, files);
            await StartAsync(peers, bench, files, table);
            await CompareAsync(bench, peers, table);
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }

            Directory.Delete(files, recursive: true);
        }
    }

    private static async Task StartAsync(List<Peer> peers, Bench bench, string files, ResultTable table)
    {
        int[] processes = [1, Environment.ProcessorCount];
        if (Peer.Python(PythonModules) is { } python)
        {
            foreach (var workers in processes)
            {
                peers.Add(await Peer.StartFastApiAsync(bench.Client, python, files, workers));
            }
        }
        else
        {
            table.Note("Peers: FastAPI is left out; apt-get install --no-install-recommends "
                + "python3-fastapi python3-uvicorn python3-torch python3-torchvision python3-pil libopenblas0-pthread");
        }

        if (Peer.HasNode)
        {
            foreach (var workers in processes)
            {
                peers.Add(await Peer.StartNodeAsync(bench.Client, bench.Find(Bench.BackboneId).Path, files, workers));
            }
        }
        else
        {
            table.Note("Peers: Node is left out; npm ci --ignore-scripts --prefix tests/Headstart.Benchmarks/Peers/node");
        }
    }

    private static async Task CompareAsync(Bench bench, List<Peer> peers, ResultTable table)
    {
        var own = bench.Client.Predictions(bench.Model);
        var rates = peers.Select(peer => peer.Target).Append(own)
            .SelectMany(target => Concurrencies.Select(concurrency => (target, concurrency))).ToDictionary(key => key, _ => new Measured());
        var lone = peers.Select(peer => peer.Target).Append(own).ToDictionary(target => target, _ => new Measured());
        var rounds = Math.Max(3, bench.Scale.Rounds / 2);
        for (var round = -1; round < rounds; round++)
        {
            foreach (var ((target, concurrency), rate) in rates)
            {
                var load = await PostAsync(bench, target, concurrency, round < 0 ? 16 : bench.Photographs.Count / 2);
                (round < 0 ? new Measured() : rate).Add(load.PerSecond);
            }

            foreach (var (target, ms) in lone)
            {
                (round < 0 ? new Measured() : ms).Add(Measured.Of((await PostAsync(bench, target, 1, 16)).Milliseconds));
            }
        }

        var test = bench.Files("test");
        var headstart = Best(own);
        var accuracy = await bench.Client.AccuracyAsync(own, test);
        table.Row($"accuracy of Headstart on {test.Count} test photographs", $"{accuracy:0.000}");
        foreach (var kind in peers.GroupBy(peer => peer.Kind))
        {
            var agreed = await bench.Client.AccuracyAsync(kind.First().Target, test);
            foreach (var peer in kind)
            {
                var best = Best(peer.Target);
                table.Row($"{peer.Name} (accuracy {agreed:0.000})", $"{headstart}", $"{best}", headstart.Median / best.Median,
                    peer.Kind == PeerKind.FastApi ? ">= 6" : "> 1");
                table.Row("   a lone request, ms (less is better)",
                    $"{lone[own].Median:0.0}", $"{lone[peer.Target].Median:0.0}", lone[own].Median / lone[peer.Target].Median);
            }
        }

        Measured Best(Uri target) => Concurrencies.Select(concurrency => rates[(target, concurrency)]).MaxBy(rate => rate.Median)!;
    }

    private static Task<Load> PostAsync(Bench bench, Uri target, int concurrency, int count) =>
        Load.ClosedAsync(bench.Client, _ => target, i => bench.Photographs.Content(i, stamped: true), concurrency, count);
}
