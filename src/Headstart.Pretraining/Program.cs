using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Native;
using Headstart.Pretraining;
using Microsoft.Extensions.Configuration;

var settings = new ConfigurationBuilder().AddCommandLine(args).Build().Get<PretrainingSettings>();
if (settings is not { Photographs: not null, Teacher: not null, Output: not null })
{
    Console.Error.WriteLine("Required: --photographs FOLDERS-OR-ZIPS --teacher FILE.onnx --output FOLDER; optional: --probes FOLDERS "
        + "--epochs N --seed N.");
    return 2;
}

ProcessMemory.Keep(); // a batch's activations are hundreds of megabytes, and every batch allocates them again
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
try
{
    var card = PretrainingRun.Execute(settings, new Progress(), stop.Token);
    Console.WriteLine(card);
    return 0;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("\nStopped. Run the same command again to resume from the last finished epoch.");
    return 130;
}
catch (Exception exception) when (exception is IOException or BackboneException or ImageRefusedException)
{
    Console.Error.WriteLine($"\n{exception.Message}");
    return 1;
}
