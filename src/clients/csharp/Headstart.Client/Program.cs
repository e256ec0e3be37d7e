using System.Runtime.InteropServices;
using Headstart.Client;

const string Help = """
    Headstart from a terminal: train a folder of photographs, watch it, predict.

      [--url URL] [--key KEY] train FOLDER [--name NAME]   each folder in FOLDER is a category
      [--url URL] [--key KEY] train FOLDER --kind detection [--name NAME]   photographs with COCO, VOC or YOLO beside them
      [--url URL] [--key KEY] watch MODEL                  the model's id or name
      [--url URL] [--key KEY] predict MODEL PATH...        files, or folders of files

    HEADSTART_URL (default http://localhost:8080) and HEADSTART_KEY replace the options. You can interrupt train and start it again: images
    are not stored twice, and a run in progress is watched. predict prints one line per file: file, label, probability, known or unknown,
    separated by tabs; tabs and line breaks in names are printed as \t and \n. Put -- before files whose names begin with a dash. The exit
    code is 0 for success, 1 for an error, 2 for a wrong command line.
    """;

var options = new Dictionary<string, string?>
{
    ["--url"] = Environment.GetEnvironmentVariable("HEADSTART_URL") is { Length: > 0 } set ? set : "http://localhost:8080",
    ["--key"] = Environment.GetEnvironmentVariable("HEADSTART_KEY"),
    ["--name"] = null,
    ["--kind"] = "classification",
};
var (words, dashes) = (new List<string>(), false);
for (var i = 0; i < args.Length; i++)
{
    if (options.ContainsKey(args[i]) && i + 1 < args.Length)
    {
        options[args[i]] = args[++i];
    }
    else if (args[i] == "--")
    {
        words.AddRange(args[(i + 1)..]);
        dashes = true;
        break;
    }
    else
    {
        words.Add(args[i]);
    }
}

if ((!dashes && words.Exists(word => word.StartsWith("--", StringComparison.Ordinal)))
    || options["--kind"] is not ("classification" or "detection") || words is not (["train" or "watch", _] or ["predict", _, _, ..])
    || string.IsNullOrEmpty(options["--key"]))
{
    await Console.Error.WriteLineAsync(string.IsNullOrEmpty(options["--key"]) ? "No API key: set HEADSTART_KEY or use "
        + $"--key.\n\n{Help}" : Help);
    return 2;
}

if (!Uri.TryCreate(options["--url"]!.TrimEnd('/') + "/", UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
{
    await Console.Error.WriteLineAsync($"{options["--url"]} is not a URL that begins with http:// or https://.");
    return 1;
}

using var cancel = new CancellationTokenSource();
var stopped = 130;
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    cancel.Cancel();
};
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    stopped = 143;
    cancel.Cancel();
});
using var http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
var commands = new Commands(new HeadstartClient(http, options["--key"]!), Console.Out, Console.Error);
try
{
    return await (words[0] switch
    {
        "train" when options["--kind"] == "detection" => commands.TrainDetectorAsync(words[1], options["--name"], cancel.Token),
        "train" => commands.TrainAsync(words[1], options["--name"], cancel.Token),
        "watch" => commands.WatchAsync(words[1], cancel.Token),
        _ => commands.PredictAsync(words[1], words[2..], cancel.Token),
    });
}
catch (Exception e) when (e is HeadstartException or CommandException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
catch (OperationCanceledException) when (cancel.IsCancellationRequested)
{
    return stopped;
}
