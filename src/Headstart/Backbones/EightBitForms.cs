using System.Collections.Concurrent;
using System.Text.Json;
using Headstart.Learning.Backbones;
using Headstart.Learning.Native;

namespace Headstart.Backbones;

public enum EightBitState
{
    /// <summary>Not made: Headstart:Backbones:EightBit is false, or this host is not a worker.</summary>
    Off,

    /// <summary>Made as soon as the host has enough labelled photographs.</summary>
    Waiting,

    /// <summary>Being made.</summary>
    Making,

    /// <summary>Runs that choose their backbone try it instead of this one.</summary>
    Used,

    /// <summary>Not worth using.</summary>
    Refused,
}

/// <summary>State of a backbone's 8-bit form.</summary>
/// <param name="Ratio">Speed relative to the backbone on this host; null if not measured.</param>
/// <param name="Why">Why it is not used; null if it is.</param>
public sealed record EightBit(EightBitState State, double? Ratio = null, string? Why = null);

/// <summary>
/// Makes the 8-bit forms of this host's backbones, each once and with the lowest priority, from photographs of users' models. A form that
/// is worth using becomes a registered backbone; the decision against one is kept in a file next to them. If the process dies in between,
/// the next one starts again.
/// </summary>
public sealed partial class EightBitForms(LoadedBackbones loaded, SharedBackbones shared, LabelledPhotographs labelled, Cores cores,
    Settings settings, DataPaths paths, ILogger<EightBitForms> log)
{
    private readonly ConcurrentDictionary<string, EightBit> _known = new(); // by the SHA-256 of the original backbone

    /// <summary>null for a backbone that is an 8-bit form itself.</summary>
    public EightBit? Of(Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        return backbone.Manifest.QuantisedFrom is not null ? null
            : FormOf(backbone) is { } form ? new(EightBitState.Used, Math.Round(backbone.MsPerImage / form.MsPerImage, 2))
            : _known.TryGetValue(backbone.Manifest.Sha256, out var known) ? known
            : IsOn ? new(EightBitState.Waiting, Why: "The host has just started.")
            : new(EightBitState.Off, Why: settings.HasRole("worker") ? "Headstart:Backbones:EightBit is false."
                : "Workers make 8-bit forms, and this host is not a worker.");
    }

    /// <summary>Makes all forms that can be made now.</summary>
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

            var count = await labelled.CountAsync(cancel);
            if (count < EightBitBackbone.FewestLabelled)
            {
                _known[backbone.Manifest.Sha256] = new(EightBitState.Waiting, Why: $"{EightBitBackbone.FewestLabelled} photographs with a "
                    + $"category are needed to measure its accuracy; this host has {count}.");
                continue;
            }

            _known[backbone.Manifest.Sha256] = new(EightBitState.Making, Why: "It is being made.");
            await MakeAsync(backbone, photographs ??= await labelled.SomeAsync(cancel), cancel);
        }
    }

    /// <summary>Records that an operator deleted the form, so that it is not made again.</summary>
    public void Deleted(Backbone form)
    {
        if (form?.Manifest is { QuantisedFrom: { } sha256, Id: var id })
        {
            Refuse(sha256, id, new(EightBitState.Refused, Why: "It was deleted."));
        }
    }

    /// <summary>Whether this host makes them.</summary>
    public bool IsOn => settings.Backbones.EightBit && settings.HasRole("worker");

    private Backbone? FormOf(Backbone backbone) => loaded.All.FirstOrDefault(b => b.Manifest.QuantisedFrom == backbone.Manifest.Sha256);

    private async Task MakeAsync(Backbone backbone, IReadOnlyList<LabelledPhotograph> photographs, CancellationToken cancel)
    {
        Directory.CreateDirectory(paths.RegisteredBackbones);
        var id = backbone.Manifest.Id + EightBitBackbone.Suffix;
        try
        {
            // On its own thread, because the pool's threads stay free for requests.
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

    /// <summary>A sample, spread evenly.</summary>
    private static IEnumerable<byte[]> Calibration(IReadOnlyList<LabelledPhotograph> photographs)
    {
        var count = Math.Min(photographs.Count, EightBitBackbone.EnoughPhotographs);
        return Enumerable.Range(0, count).Select(i => photographs[i * photographs.Count / count].Read()).OfType<byte[]>();
    }

    /// <summary>An earlier decision against the form, on this host or another.</summary>
    private async Task<EightBit?> DecisionAsync(Backbone backbone, CancellationToken cancel)
    {
        var id = backbone.Manifest.Id + EightBitBackbone.Suffix;
        return await shared.WasRemovedAsync(id, cancel) ? new(EightBitState.Refused, Why: "It was deleted.")
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

    /// <param name="Sha256">SHA-256 of the original backbone.</param>
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
    }
}
