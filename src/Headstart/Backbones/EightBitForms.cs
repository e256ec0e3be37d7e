using System.Collections.Concurrent;
using System.Text.Json;
using Headstart.Blobs;
using Headstart.Concurrency;
using Headstart.Configuration;
using Headstart.Data;
using Headstart.Disk;
using Headstart.Http;
using Headstart.Learning.Backbones;
using Headstart.Learning.Native;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

public enum EightBitState
{
    /// <summary>Not made: Headstart:Backbones:EightBit is false, or this host is no worker.</summary>
    Off,

    /// <summary>To be made when the host has enough labelled photographs.</summary>
    Waiting,

    /// <summary>Being made.</summary>
    Making,

    /// <summary>Runs that choose their backbone try it instead of this one.</summary>
    Used,

    /// <summary>Not worth using.</summary>
    Refused,
}

/// <summary>What became of the 8-bit form of a backbone.</summary>
/// <param name="Ratio">How many times as fast it is on this host; null if that was not measured.</param>
/// <param name="Why">Why it is not used; null if it is.</param>
public sealed record EightBit(EightBitState State, double? Ratio = null, string? Why = null);

/// <summary>
/// Makes the 8-bit forms of this host's backbones, each once and behind everything else, with photographs that users gave their models. A
/// form that is worth using becomes a backbone like those that users register; the decision against one stays in a file beside them. If the
/// process dies in between, the next one begins again.
/// </summary>
public sealed partial class EightBitForms(LoadedBackbones loaded, SharedBackbones shared, IDbContextFactory<HeadstartDb> databases,
    IBlobStore blobs, Cores cores, Settings settings, DataPaths paths, TimeProvider clock, ILogger<EightBitForms> log) : BackgroundService
{
    private const int EnoughLabelled = 1_000;
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, EightBit> _known = new(); // by the SHA-256 of what it would be made from

    /// <summary>null for a backbone that is an 8-bit form itself.</summary>
    public EightBit? Of(Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        return backbone.Manifest.QuantisedFrom is not null ? null
            : FormOf(backbone) is { } form ? new(EightBitState.Used, Math.Round(backbone.MsPerImage / form.MsPerImage, 2))
            : _known.TryGetValue(backbone.Manifest.Sha256, out var known) ? known
            : IsOn ? new(EightBitState.Waiting, Why: "The host has just started.")
            : new(EightBitState.Off, Why: settings.HasRole("worker") ? "Headstart:Backbones:EightBit is false."
                : "Workers make 8-bit forms, and this host is none.");
    }

    /// <summary>Makes what can be made now.</summary>
    public async Task MakeMissingAsync(CancellationToken cancel)
    {
        await loaded.Bundled.WaitAsync(cancel);
        IReadOnlyList<LabelledPhotograph>? photographs = null;
        foreach (var backbone in loaded.All.Where(b => b.Manifest.QuantisedFrom is null && FormOf(b) is null))
        {
            if (await DecisionAsync(backbone, cancel) is { } decision)
            {
                _known[backbone.Manifest.Sha256] = decision;
                continue;
            }

            var count = await CountAsync(cancel);
            if (count < EightBitBackbone.FewestLabelled)
            {
                _known[backbone.Manifest.Sha256] = new(EightBitState.Waiting, Why: $"{EightBitBackbone.FewestLabelled} photographs with a "
                    + $"category are needed to see what it costs; this host has {count}.");
                continue;
            }

            _known[backbone.Manifest.Sha256] = new(EightBitState.Making, Why: "It is being made.");
            await MakeAsync(backbone, photographs ??= await PhotographsAsync(cancel), cancel);
        }
    }

    /// <summary>An operator deleted the form: it is not made again.</summary>
    public void Deleted(Backbone form)
    {
        if (form?.Manifest is { QuantisedFrom: { } sha256, Id: var id })
        {
            Refuse(sha256, id, new(EightBitState.Refused, Why: "It was deleted."));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        while (IsOn && !stopping.IsCancellationRequested)
        {
            await Task.Delay(Period, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await MakeMissingAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever it was, most likely a database that is away: it is looked again.
                Log.Later(log, e.GetBaseException().Message);
            }
        }
    }

    private bool IsOn => settings.Backbones.EightBit && settings.HasRole("worker");

    private Backbone? FormOf(Backbone backbone) => loaded.All.FirstOrDefault(b => b.Manifest.QuantisedFrom == backbone.Manifest.Sha256);

    private async Task MakeAsync(Backbone backbone, IReadOnlyList<LabelledPhotograph> photographs, CancellationToken cancel)
    {
        Directory.CreateDirectory(paths.RegisteredBackbones);
        var id = backbone.Manifest.Id + EightBitBackbone.Suffix;
        try
        {
            // A thread of its own, as the pool's threads stay free for requests.
            var made = await Task.Factory.StartNew(Make, cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            if (made.Refusal is { } refusal)
            {
                Refuse(backbone.Manifest.Sha256, id, new(EightBitState.Refused, Math.Round(made.Speedup, 2), $"Not used: {refusal}."));
                return;
            }

            var upload = Path.Combine(paths.RegisteredBackbones, $"{Guid.CreateVersion7():n}.upload");
            await File.WriteAllBytesAsync(upload, made.Network, cancel);
            await shared.TakeInAsync(upload, made.Manifest, cancel);
            Log.Made(log, id, made.Speedup);
        }
        catch (BackboneException e)
        {
            Refuse(backbone.Manifest.Sha256, id, new(EightBitState.Refused, Why: e.Message));
        }
        finally
        {
            ProcessMemory.Trim();
        }

        EightBitBackbone.Result Make()
        {
            BackgroundWork.LowerPriority();
            return EightBitBackbone.Make(backbone.File, Calibration(photographs), paths.RegisteredBackbones, photographs,
                () => cores.GiveWay(cancel));
        }
    }

    /// <summary>Some of all, spread evenly.</summary>
    private static IEnumerable<byte[]> Calibration(IReadOnlyList<LabelledPhotograph> photographs)
    {
        var count = Math.Min(photographs.Count, EightBitBackbone.EnoughPhotographs);
        return Enumerable.Range(0, count).Select(i => photographs[i * photographs.Count / count].Read()).OfType<byte[]>();
    }

    /// <summary>A decision against it that was made before, on this host or another.</summary>
    private async Task<EightBit?> DecisionAsync(Backbone backbone, CancellationToken cancel)
    {
        var id = backbone.Manifest.Id + EightBitBackbone.Suffix;
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.SharedBackbones.AnyAsync(b => b.Id == id && b.RemovedAt != null, cancel)
            ? new(EightBitState.Refused, Why: "It was deleted.")
            : loaded.Find(id) is not null ? new(EightBitState.Refused, Why: $"Another backbone has the id {id}.")
            : File.Exists(FileOf(id)) && Decision.Read(await File.ReadAllBytesAsync(FileOf(id), cancel)) is { } known
                && known.Sha256 == backbone.Manifest.Sha256 ? known.EightBit
            : null;
    }

    private void Refuse(string sha256, string id, EightBit why)
    {
        _known[sha256] = why;
        File.WriteAllBytes(FileOf(id), JsonSerializer.SerializeToUtf8Bytes(new Decision(sha256, why), Json.Options));
        Log.Refused(log, id, why.Why);
    }

    private string FileOf(string id) => Path.Combine(paths.RegisteredBackbones, $"{id}.refused");

    private static IQueryable<Example> Labelled(HeadstartDb db) =>
        db.Examples.Where(e => db.Models.Any(m => m.Id == e.ModelId && m.Kind == ModelKind.ImageClassification));

    private async Task<int> CountAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await Labelled(db).CountAsync(cancel);
    }

    /// <summary>By their SHA-256, which is as good as at random: of each model as many as is its share.</summary>
    private async Task<IReadOnlyList<LabelledPhotograph>> PhotographsAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var rows = await Labelled(db).OrderBy(e => e.Sha256).Take(EnoughLabelled)
            .Select(e => new { e.Sha256, e.ModelId, Category = e.Labels.First().CategoryId }).ToListAsync(cancel);
        // Read one by one, on the thread that makes the form: photographs may be large.
        return rows.ConvertAll(row => new LabelledPhotograph($"{row.ModelId}", $"{row.Category}",
            () => blobs.GetAsync(row.Sha256, cancel).GetAwaiter().GetResult()));
    }

    /// <param name="Sha256">Of what the form would be made from.</param>
    private sealed record Decision(string Sha256, EightBit EightBit)
    {
        public static Decision? Read(byte[] json) => JsonSerializer.Deserialize<Decision>(json, Json.Options);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Made {Id}, {Speedup:0.0} times as fast: runs try it from now on")]
        public static partial void Made(ILogger log, string id, double speedup);

        [LoggerMessage(Level = LogLevel.Information, Message = "{Id} is not used: {Why}")]
        public static partial void Refused(ILogger log, string id, string? why);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot make 8-bit backbones; retrying in 5 min: {Reason}")]
        public static partial void Later(ILogger log, string reason);
    }
}
