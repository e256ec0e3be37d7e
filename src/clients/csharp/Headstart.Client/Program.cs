using Headstart.Client;

const string Help = """
    Headstart from a terminal: train a folder of photographs, watch it, predict.

      [--url URL] [--key KEY] train FOLDER [--name NAME]   the folders in FOLDER are the categories
      [--url URL] [--key KEY] watch MODEL                  the model's id or its name
      [--url URL] [--key KEY] predict MODEL PATH...        files, or folders with files

    HEADSTART_URL (http://localhost:8080) and HEADSTART_KEY take the place of the options. train may be broken off and started again: what
    arrived is not stored twice, and a run that is under way is watched. predict prints a line a file: file, label, probability, known or
    unknown, with tabs between. The exit code is 0 when all went well, 1 when something did not, 2 when the command makes no sense.
    """;

var options = new Dictionary<string, string?>
{
    ["--url"] = Environment.GetEnvironmentVariable("HEADSTART_URL") is { Length: > 0 } set ? set : "http://localhost:8080",
    ["--key"] = Environment.GetEnvironmentVariable("HEADSTART_KEY"),
    ["--name"] = null,
};
var words = new List<string>();
for (var i = 0; i < args.Length; i++)
{
    if (options.ContainsKey(args[i]) && i + 1 < args.Length)
    {
        options[args[i]] = args[++i];
    }
    else
    {
        words.Add(args[i]);
    }
}

if (words.Exists(word => word.StartsWith("--", StringComparison.Ordinal)) || words is not (["train" or "watch", _] or ["predict", _, _, ..])
    || string.IsNullOrEmpty(options["--key"]) || !Uri.TryCreate(options["--url"]!.TrimEnd('/') + "/", UriKind.Absolute, out var url))
{
    await Console.Error.WriteLineAsync(string.IsNullOrEmpty(options["--key"]) ? $"There is no key: set HEADSTART_KEY or give --key.\n\n{Help}" : Help);
    return 2;
}

using var cancel = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    cancel.Cancel();
};
using var http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
var commands = new Commands(new HeadstartClient(http, options["--key"]!), Console.Out, Console.Error);
try
{
    return await (words[0] switch
    {
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
    return 130;
}
