using System.Globalization;
using System.IO.Compression;

namespace Headstart.Client;

/// <summary>The commands of the program, and an example of how the client is used.</summary>
internal sealed class Commands(HeadstartClient api, TextWriter output, TextWriter errors)
{
    private const int Batch = 20;
    private const int MostAnswers = 100; // labels or objects of a file

    /// <param name="folder">Each folder in it is a category.</param>
    /// <param name="name">Name of the model; null for the folder's name. An existing model of that name gets the missing images.</param>
    public async Task<int> TrainAsync(string folder, string? name, CancellationToken cancel)
    {
        if (!Directory.Exists(folder))
        {
            throw new CommandException($"The folder {folder} does not exist.");
        }

        var categories = Visible(Directory.GetDirectories(folder));
        var leftOut = await LeaveOutAsync(categories, folder, NotUtf8);
        if (categories.Count < 2)
        {
            throw new CommandException($"{folder} has {categories.Count} folders; it needs at least two, one for each category.");
        }

        name ??= Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var model = await api.FindModelAsync(name, cancel) ?? await api.CreateModelAsync(new(name), cancel);
        await output.WriteLineAsync($"Model {model.Name} {model.Id}");
        foreach (var category in categories)
        {
            leftOut |= await UploadAsync(model.Id, category, cancel);
        }

        var ended = await LearnAsync(model.Id, cancel);
        return leftOut ? 1 : ended;
    }

    /// <summary>Sends the folder as it is; the host finds out which annotations have the boxes.</summary>
    /// <param name="folder">Photographs with COCO, Pascal VOC or YOLO annotations beside them.</param>
    /// <param name="name">Name of the model; null for the folder's name.</param>
    public async Task<int> TrainDetectorAsync(string folder, string? name, CancellationToken cancel)
    {
        if (!Directory.Exists(folder))
        {
            throw new CommandException($"The folder {folder} does not exist.");
        }

        name ??= Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var model = await api.FindModelAsync(name, cancel) ?? await api.CreateModelAsync(new(name, ModelKind.ObjectDetection), cancel);
        await output.WriteLineAsync($"Model {model.Name} {model.Id}");
        var archive = Path.GetTempFileName();
        ImportProgress done;
        bool leftOut;
        try
        {
            leftOut = await ZipAsync(folder, archive, cancel);
            done = await api.ImportAsync(model.Id, archive, cancel);
        }
        finally
        {
            File.Delete(archive);
        }

        await foreach (var now in api.WatchAsync(done, cancel))
        {
            done = now;
        }

        foreach (var file in (await api.ListRejectionsAsync(done, cancel)).Items)
        {
            await errors.WriteLineAsync($"{Shown(file.FileName)}: {file.Detail}");
        }

        foreach (var notice in done.Notices)
        {
            await errors.WriteLineAsync(notice);
        }

        if (done.State != JobState.Succeeded)
        {
            throw new CommandException(done.Error ?? $"The import was {done.State}.");
        }

        await output.WriteLineAsync($"{done.Accepted} of {done.Total} files taken");
        var ended = await LearnAsync(model.Id, cancel);
        return leftOut ? 1 : ended;
    }

    /// <param name="named">The model's id or name.</param>
    public async Task<int> WatchAsync(string named, CancellationToken cancel) =>
        await FollowAsync(await api.NewestRunAsync((await FindAsync(named, cancel)).Id, cancel)
            ?? throw new CommandException("The model has no training run yet."), cancel);

    /// <param name="named">The model's id or name.</param>
    /// <param name="paths">Files, or folders of files.</param>
    public async Task<int> PredictAsync(string named, IReadOnlyList<string> paths, CancellationToken cancel)
    {
        var files = paths.SelectMany(path => Directory.Exists(path) ? Visible(Directory.GetFiles(path)) : [path]).ToList();
        if (files.Count == 0)
        {
            throw new CommandException("There are no files to predict.");
        }

        if (files.Find(file => !File.Exists(file) && NotUtf8(file) is null) is { } missing)
        {
            throw new CommandException($"The file {missing} does not exist.");
        }

        var model = await FindAsync(named, cancel);
        var failed = await LeaveOutAsync(files, null, WhyShut);
        foreach (var batch in files.Chunk(Batch))
        {
            foreach (var (file, prediction) in batch.Zip((await api.PredictAsync(model.Id, batch, top: MostAnswers, cancel)).Predictions))
            {
                if (prediction.Error is not null)
                {
                    failed = true;
                    await errors.WriteLineAsync($"{Shown(file)}: {prediction.Error}");
                    continue;
                }

                if (prediction.Objects is { } objects)
                {
                    foreach (var line in objects.Count == 0 ? [""] : objects.Select(Line))
                    {
                        await output.WriteLineAsync(Shown(file) + line);
                    }

                    continue;
                }

                var best = prediction.Labels[0];
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                    $"{Shown(file)}\t{best.Name}\t{best.Probability:0.0000}\t{(prediction.Unknown is true ? "unknown" : "known")}"));
            }
        }

        return failed ? 1 : 0;
    }

    /// <returns>Whether some files cannot be opened.</returns>
    private async Task<bool> ZipAsync(string folder, string archive, CancellationToken cancel)
    {
        var files = FilesBelow(folder);
        var leftOut = await LeaveOutAsync(files, folder, WhyShut);
        await using var stream = File.Create(archive);
        await using var zip = await ZipArchive.CreateAsync(stream, ZipArchiveMode.Create, leaveOpen: false, null, cancel);
        foreach (var file in files)
        {
            await zip.CreateEntryFromFileAsync(file, Path.GetRelativePath(folder, file), CompressionLevel.NoCompression, cancel);
        }

        return leftOut;
    }

    private async Task<int> LearnAsync(Guid model, CancellationToken cancel)
    {
        var run = await api.NewestRunAsync(model, cancel);
        if (run is null || !run.IsUnderWay())
        {
            run = await api.StartRunAsync(model, new(), Guid.CreateVersion7().ToString(), cancel);
        }

        return await FollowAsync(run, cancel);
    }

    /// <returns>Whether some files cannot be opened.</returns>
    private async Task<bool> UploadAsync(Guid model, string category, CancellationToken cancel)
    {
        var (name, files, sent) = (Path.GetFileName(category), Visible(Directory.GetFiles(category)), 0);
        var leftOut = await LeaveOutAsync(files, Path.GetDirectoryName(category), WhyShut);
        foreach (var batch in files.Chunk(Batch))
        {
            foreach (var file in (await api.UploadAsync(model, name, batch, cancel)).Rejected)
            {
                await errors.WriteLineAsync($"{Shown(name)}/{file.FileName}: {file.Detail}");
            }

            await output.WriteLineAsync($"{Shown(name)}: {sent += batch.Length} of {files.Count} sent");
        }

        return leftOut;
    }

    private async Task<int> FollowAsync(Run run, CancellationToken cancel)
    {
        string? said = null;
        await foreach (var now in api.WatchAsync(run, cancel))
        {
            run = now;
            var line = string.Create(CultureInfo.InvariantCulture,
                $"{run.Stage?.ToString() ?? run.State.ToString()}, {100 * run.Progress:0}%").ToLowerInvariant()
                + (run.SecondsLeft is > 0 ? string.Create(CultureInfo.InvariantCulture, $", about {run.SecondsLeft:0} s left") : "")
                + (run.Detail is null ? "" : $": {run.Detail}");
            if (run.IsUnderWay() && line != said)
            {
                await output.WriteLineAsync(said = line);
            }
        }

        foreach (var notice in run.Notices)
        {
            await errors.WriteLineAsync(notice);
        }

        if (run.State != JobState.Succeeded)
        {
            throw new CommandException(run.Error ?? $"The training run was {run.State}.");
        }

        var version = await api.GetVersionAsync(run.ModelId, run.Version!.Value, cancel);
        var report = await api.GetReportAsync(run.ModelId, version.Number, cancel);
        var accuracy = version.AccuracyInterval is not [var low, var high] ? "accuracy unknown"
            : string.Create(CultureInfo.InvariantCulture,
                $"accuracy {100 * version.Accuracy:0.0}% ({100 * low:0.0}% to {100 * high:0.0}%)");
        await output.WriteLineAsync($"Version {version.Number}: {accuracy}, with {version.Backbone}");
        await output.WriteLineAsync(report.Sentence);
        return 0;
    }

    private async Task<Model> FindAsync(string named, CancellationToken cancel) =>
        await api.FindModelAsync(named, cancel) ?? throw new CommandException($"Your account has no model \"{named}\".");

    private static string Line(PredictedObject found)
    {
        var (x, y, width, height) = found.Pixels;
        return string.Create(CultureInfo.InvariantCulture, $"\t{found.Label}\t{found.Probability:0.0000}\t{x}\t{y}\t{width}\t{height}");
    }

    /// <summary>.NET replaces bytes of a name that are not UTF-8 and has no other way to open what has it.</summary>
    private static string? NotUtf8(string path) => path.Contains('\uFFFD') && !Path.Exists(path)
        ? "The name is not valid UTF-8, so this program cannot open it; rename it, or use one of the other clients." : null;

    /// <returns>Why the file cannot be opened, or null.</returns>
    private static string? WhyShut(string file)
    {
        try
        {
            if (NotUtf8(file) is { } reason)
            {
                return reason;
            }

            File.OpenHandle(file).Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "Cannot be opened; check that it exists and that you may read it.";
        }
    }

    /// <summary>Names what cannot be opened and takes it off the list.</summary>
    /// <param name="paths">Files or folders.</param>
    /// <param name="folder">They are named by their paths below it; null for their whole paths.</param>
    /// <param name="why">Why one cannot be opened, or null.</param>
    /// <returns>Whether there are some.</returns>
    private async Task<bool> LeaveOutAsync(List<string> paths, string? folder, Func<string, string?> why)
    {
        var shut = new HashSet<string>();
        foreach (var path in paths)
        {
            if (why(path) is { } reason)
            {
                shut.Add(path);
                await errors.WriteLineAsync($"{Shown(folder is null ? path : Path.GetRelativePath(folder, path))}: {reason}");
            }
        }

        return paths.RemoveAll(shut.Contains) > 0;
    }

    /// <summary>All files of a folder and its folders, without links back to a folder above; folders that cannot be opened are among
    /// them.</summary>
    private static List<string> FilesBelow(string folder)
    {
        try
        {
            var folders = Visible(Directory.GetDirectories(folder)).Where(below => !LeadsUp(below));
            return [.. Visible(Directory.GetFiles(folder)), .. folders.SelectMany(FilesBelow)];
        }
        catch (UnauthorizedAccessException)
        {
            return [folder];
        }
    }

    private static bool LeadsUp(string folder) => Directory.ResolveLinkTarget(folder, returnFinalTarget: true) is { } target
        && !Path.GetRelativePath(target.FullName, folder).StartsWith("..", StringComparison.Ordinal);

    /// <summary>Without tabs and line breaks, so that a line stays a line.</summary>
    private static string Shown(string name) => name.Replace("\t", "\\t", StringComparison.Ordinal)
        .Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static List<string> Visible(string[] paths) =>
        [.. paths.Where(path => !Path.GetFileName(path).StartsWith('.')).Order(StringComparer.Ordinal)];
}

/// <summary>An error message for the user.</summary>
internal sealed class CommandException(string message) : Exception(message);
