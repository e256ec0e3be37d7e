using Headstart.Benchmarks;
using Headstart.Benchmarks.Choosing;
using Headstart.Benchmarks.Detection;
using Headstart.Benchmarks.Nodes;
using Headstart.Benchmarks.Serving;
using Headstart.Benchmarks.Text;
using Headstart.Hosting;
using Headstart.Learning.Backbones;
using Headstart.Tests;

if (SharedFolder.Root is not { } shared)
{
    Console.Error.WriteLine("Set HEADSTART_SHARED to the folder that holds backbones/ and datasets/.");
    return 1;
}

if (args is ["accuracy", var address, var key, .. var rest])
{
    await Accuracy.PrintAsync(new Uri(address), key, rest, shared);
    return 0;
}

if (args is ["choice", .. var choice])
{
    return await ChoiceBenchmark.RunAsync(choice, shared);
}

if (args is ["promises"])
{
    return await Promises.RunAsync(shared);
}

if (args is ["serving", .. var sections])
{
    return await ServingBenchmark.RunAsync(sections, shared);
}

if (args is ["nodes", .. var nodes])
{
    return await NodesBenchmark.RunAsync(nodes, shared);
}

if (args is ["quantise", .. var quantised])
{
    return EightBits.Run(quantised, shared);
}

if (args is ["scaling"])
{
    return Scaling.Run(shared);
}

if (args is ["detection", .. var detection])
{
    return DetectionBenchmark.Run(detection, shared);
}

if (args is ["text", .. var texts])
{
    return TextBenchmark.Run(texts, shared);
}

var (backbones, problems) = BackboneFolders.Find([Path.Combine(shared, "backbones")]);
foreach (var problem in problems)
{
    Console.Error.WriteLine(problem);
}

var photographs = ((string[])["hymenoptera", "cats_dogs"])
    .SelectMany(set => Directory.GetFiles(Path.Combine(shared, "datasets", set), "*.jp*g", SearchOption.AllDirectories))
    .Order(StringComparer.Ordinal)
    .Where((_, i) => i % 4 == 0)
    .Take(112) // whole batches
    .Select(File.ReadAllBytes)
    .ToArray();
Console.WriteLine($"{photographs.Length} photographs, {Environment.ProcessorCount} cores, images/s (median of {Throughput.Rounds} "
    + "rounds, min..max)");
Console.WriteLine(
    $"{"backbone",-22}{"threads",8}{"decode",20}{"forward x1",20}"
    + $"{$"forward x{Throughput.Batch}",20}{"limit",8}{"extraction",20}{"ratio",8}");
foreach (var backbone in backbones)
{
    foreach (var threads in ((int[])[1, Environment.ProcessorCount]).Distinct())
    {
        Console.WriteLine(await Throughput.MeasureAsync(backbone, threads, photographs));
    }
}

return 0;
