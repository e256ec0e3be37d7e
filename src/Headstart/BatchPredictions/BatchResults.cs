using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using CsvHelper;
using Headstart.Data;
using Headstart.Predictions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.BatchPredictions;

/// <summary>Streams the results of a batch, so memory holds one page of items however large the batch is.</summary>
internal static class BatchResults
{
    private const int PageSize = 100;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    // Spreadsheets run fields that begin with = + - @ as formulas; file names and texts come from users, so they get a leading apostrophe.
    private static readonly CsvWriterOptions Csv = CsvWriterOptions.Default with { Injection = CsvInjection.Escape };

    /// <summary>One JSON object per line.</summary>
    public static async Task WriteLinesAsync(HeadstartDb db, Guid batch, bool texts, Stream body, CancellationToken cancel)
    {
        await foreach (var item in AnsweredAsync(db, batch, cancel))
        {
            var line = texts ? JsonSerializer.Serialize(TextBatchLine.Of(item), Json.Options)
                : JsonSerializer.Serialize(BatchLine.Of(item), Json.Options);
            await body.WriteAsync(Utf8.GetBytes(line + "\n"), cancel);
        }
    }

    /// <summary>
    /// A header, then one row per item: the image's file name or the text, and its id; the most probable label and its probability, or all
    /// labels that apply; then the probability of each label. In a detection model one row per object, and one for an image without any.
    /// </summary>
    public static async Task WriteTableAsync(HeadstartDb db, Guid batch, ModelKind kind, Stream body, CancellationToken cancel)
    {
        await using var csv = CsvWriter.Create(body, Csv, leaveOpen: true);
        if (kind.HasBoxes())
        {
            await WriteObjectsAsync(db, batch, csv, cancel);
            return;
        }

        var texts = kind.IsText();
        var labels = await LabelsAsync(db, batch, cancel);
        await csv.WriteRecordAsync([.. texts ? (string[])["text", "textId", "fileName"] : ["fileName", "imageId"], "label", "probability",
            "unknown", "error", .. labels], cancel);
        await foreach (var item in AnsweredAsync(db, batch, cancel))
        {
            string?[] what = texts ? [item.Text, item.ExampleId?.ToString(), item.FileName] : [item.FileName, item.ExampleId?.ToString()];
            await csv.WriteRecordAsync(Row(what, BatchAnswer.FromJson(item.Answer!), labels), cancel);
        }
    }

    private static async Task WriteObjectsAsync(HeadstartDb db, Guid batch, CsvWriter csv, CancellationToken cancel)
    {
        await csv.WriteRecordAsync(["fileName", "imageId", "label", "probability", "x", "y", "width", "height", "error"], cancel);
        await foreach (var item in AnsweredAsync(db, batch, cancel))
        {
            var answer = BatchAnswer.FromJson(item.Answer!);
            foreach (var found in answer.Objects is { Count: > 0 } objects ? objects.Cast<PredictedObject?>() : [null])
            {
                await csv.WriteRecordAsync([item.FileName, item.ExampleId?.ToString(), found?.Label, Number(found?.Probability),
                    Number(found?.Box.X), Number(found?.Box.Y), Number(found?.Box.Width), Number(found?.Box.Height), answer.Error], cancel);
            }
        }
    }

    private static string?[] Row(string?[] what, BatchAnswer answer, List<string> labels)
    {
        var of = answer.Labels.ToDictionary(l => l.Label, l => Number(l.Probability));
        var best = answer.Labels is [var first, ..] ? first : null;
        return
        [
            .. what,
            best?.Applies is null ? best?.Label : string.Join('|', answer.Labels.Where(l => l.Applies is true).Select(l => l.Label)),
            best is null ? null : Number(best.Probability), answer.Unknown is { } unknown ? unknown ? "true" : "false" : null, answer.Error,
            .. labels.Select(of.GetValueOrDefault),
        ];
    }

    /// <summary>
    /// The version's labels by name, taken from a stored prediction: the version itself may no longer be usable on this host.
    /// </summary>
    private static async Task<List<string>> LabelsAsync(HeadstartDb db, Guid batch, CancellationToken cancel)
    {
        var item = await db.BatchItems.FromSql(
            $"SELECT * FROM batch_items WHERE batch_id = {batch} AND answer -> 'labels' -> 0 IS NOT NULL ORDER BY position LIMIT 1")
            .SingleOrDefaultAsync(cancel);
        return item is null ? [] : [.. BatchAnswer.FromJson(item.Answer!).Labels.Select(l => l.Label).Order(StringComparer.Ordinal)];
    }

    /// <summary>In pages: the client may read slowly, and no connection should wait for it.</summary>
    private static async IAsyncEnumerable<BatchItem> AnsweredAsync(HeadstartDb db, Guid batch,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var after = -1; ;)
        {
            var page = await db.BatchItems.Where(i => i.BatchId == batch && i.Position > after && i.Answer != null)
                .OrderBy(i => i.Position).Take(PageSize).ToListAsync(cancel);
            foreach (var item in page)
            {
                yield return item;
            }

            if (page.Count < PageSize)
            {
                yield break;
            }

            after = page[^1].Position;
        }
    }

    private static string? Number(double? value) => value?.ToString("0.######", CultureInfo.InvariantCulture);
}
