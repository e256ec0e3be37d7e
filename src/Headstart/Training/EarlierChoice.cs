using System.Text.Json;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Reports;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>
/// Decides whether the features chosen for an earlier version can be reused without comparing again. They can if the same backbones take
/// part under the same latency budget, the categories are the same, and few images have changed: replacing a share f of the images moves
/// the mean difference between two candidates by about sqrt(f) standard errors, so a rival more than twice that far behind would hardly be
/// chosen now.
/// </summary>
public sealed class EarlierChoice(IBlobStore blobs)
{
    /// <summary>An earlier choice that is still valid.</summary>
    /// <param name="Backbone">Id of the chosen features.</param>
    /// <param name="Trials">The trials of the run that made the choice.</param>
    /// <param name="Report">What this run reports about it.</param>
    public sealed record Standing(string Backbone, IReadOnlyList<BackboneTrial> Trials, ChoiceReport Report);

    /// <param name="db">The database with the versions.</param>
    /// <param name="run">The run that needs features.</param>
    /// <param name="candidates">The backbones it would choose from.</param>
    /// <param name="data">The run's examples.</param>
    /// <param name="cancel">Cancels the query.</param>
    /// <returns>null if the run must choose.</returns>
    public async Task<Standing?> FindAsync(HeadstartDb db, TrainingRun run, IReadOnlyList<string> candidates, Dataset data,
        CancellationToken cancel)
    {
        var newest = await db.Versions.Where(v => v.ModelId == run.ModelId).OrderByDescending(v => v.Number)
            .Join(db.TrainingRuns, v => v.RunId, r => r.Id, (version, of) => new { Version = version, of.MaxLatencyMs, of.Backbone })
                .FirstOrDefaultAsync(cancel);
        if (newest is null || newest.Backbone is not null || newest.MaxLatencyMs != run.MaxLatencyMs
            || await ReportAsync(newest.Version.Report, cancel) is not { Choice: { Stability: { } stability } choice } report
            || !choice.Candidates.SequenceEqual(candidates) || !report.Categories.SequenceEqual(data.Categories))
        {
            return null;
        }

        var measured = choice.Version ?? newest.Version.Number;
        // Compare with the images that the candidates were compared on, which may be several versions back.
        var before = await db.Versions.Where(v => v.ModelId == run.ModelId && v.Number == measured)
            .Join(db.RunExamples, v => v.RunId, i => i.RunId, (_, i) => new { i.Sha256, i.Categories, i.Split, i.SplitGiven })
            .ToListAsync(cancel);
        var now = await db.RunExamples.Where(i => i.RunId == run.Id)
            .Select(i => new { i.Sha256, i.Categories, i.Split, i.SplitGiven }).ToListAsync(cancel);
        HashSet<string> given =
            [.. now.Where(i => i is { Split: Split.Test, SplitGiven: true }).Select(i => Convert.ToHexString(i.Sha256))];
        if (before.Exists(i => i is not { Split: Split.Test, SplitGiven: true } && given.Contains(Convert.ToHexString(i.Sha256))))
        {
            return null; // the choice learned from examples that are given as test now
        }

        var changed = Changed(before.Select(i => Name(i.Sha256, i.Categories)), now.Select(i => Name(i.Sha256, i.Categories)));
        var share = (double)changed.Count / Math.Max(1, Math.Max(before.Count, now.Count));
        var sentence = Sentence(data.Kind, measured, changed.DistinctBy(name => name.Split('\0')[0]).Count());
        return changed.Count == 0 || stability > ChoiceCaution * Math.Sqrt(share)
            ? new(newest.Version.Backbone, report.Backbones, choice with { Sentence = sentence, Version = measured }) : null;
    }

    /// <summary>Identifies the backbones of a choice.</summary>
    public static List<string> Names(IEnumerable<Backbone> backbones) =>
        [.. backbones.Select(b => BackboneNews.Name(b.Manifest)).Order(StringComparer.Ordinal)];

    private static string Name(byte[] sha256, IEnumerable<string> categories) =>
        string.Join('\0', categories.Prepend(Convert.ToHexString(sha256)));

    /// <summary>Images in only one of the two; one moved to other categories counts twice, as if replaced by another.</summary>
    private static HashSet<string> Changed(IEnumerable<string> before, IEnumerable<string> now)
    {
        var images = before.ToHashSet();
        images.SymmetricExceptWith(now);
        return images;
    }

    private static string Sentence(ModelKind kind, int version, int changed) => changed == 0
        ? $"Reused the choice of version {version}, because the {kind.Nouns()} have not changed since."
        : $"Reused the choice of version {version}: only "
            + (changed == 1 ? $"one {kind.Noun()} was" : $"{changed:N0} {kind.Nouns()} were") + " added, removed or moved since.";

    private async Task<Report?> ReportAsync(byte[] sha256, CancellationToken cancel) =>
        await blobs.GetAsync(sha256, cancel) is { } json ? JsonSerializer.Deserialize<Report>(json, Json.Options) : null;
}
