using System.Text;
using System.Text.Json;
using Headstart.Uploads.Texts;
using Microsoft.AspNetCore.Http.Features;

namespace Headstart.BatchPredictions;

/// <summary>Reads the texts of a batch from a request: sent texts, in any format of uploads, or stored texts of the model.</summary>
internal sealed class TextBatchIntake(BatchItems known, Settings settings, DataPaths paths)
{
    private const string NameTexts = """Send texts, {"texts":["…"]}, or name stored ones: {"storedTexts":{}} for all or a filtered """
        + """part of them, or {"textIds":[...]}.""";

    private readonly UploadSettings _limits = settings.Uploads;

    /// <param name="model">The model of the stored texts.</param>
    /// <param name="http">Contains the texts, or names stored ones.</param>
    /// <returns>At least one text, or the refusal.</returns>
    public async Task<List<NewItem>> ReadAsync(Guid model, HttpContext http, CancellationToken cancel)
    {
        var items = TextBody.FormatOf(http.Request.ContentType) == TextFormat.Json ? await FindAsync(model, http, cancel)
            : await TakeAsync(TextBody.ReadAsync(http.Request, paths.Spool, _limits, cancel));
        return items.Count == 0 ? throw new RefusedException(Problems.Invalid("no-texts", "The request contains or names no text, so "
            + "there is nothing to predict.")) : items;
    }

    private async Task<List<NewItem>> FindAsync(Guid model, HttpContext http, CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = _limits.MaxTextsBytes; // Kestrel answers 413
        var request = await Json.ReadAsync<NewBatchRequest>(http.Request, cancel);
        return request switch
        {
            { Images: not null } or { ImageIds: not null } => throw new RefusedException(Problems.Invalid("no-texts-named", NameTexts)),
            { Texts: { ValueKind: JsonValueKind.Array } texts, StoredTexts: null, TextIds: null } =>
            await TakeAsync(texts.EnumerateArray().Select(SentText.Of).ToAsyncEnumerable()),
            { Texts: null, StoredTexts: { } which, TextIds: null } =>
            Few(await known.ChosenAsync(model, which.Category, which.Split, which.Labelled, _limits.MaxRows, cancel)),
            { Texts: null, StoredTexts: null, TextIds: { } ids } => Few(await known.NamedAsync(model, ids, "text", cancel)),
            _ => throw new RefusedException(Problems.Invalid("no-texts-named", NameTexts)),
        };
    }

    private List<NewItem> Few(List<NewItem> found) => found.Count > _limits.MaxRows ? throw TooMany() : found;

    /// <summary>Unreadable texts become items with an error.</summary>
    private async Task<List<NewItem>> TakeAsync(IAsyncEnumerable<SentText> texts)
    {
        var items = new List<NewItem>();
        var bytes = 0L;
        await foreach (var sent in texts)
        {
            if (items.Count == _limits.MaxRows)
            {
                throw TooMany();
            }

            var text = "";
            var refusal = sent.Reason is null ? PlainText.Read(sent.Text, _limits.MaxTextBytes, out text)?.Detail : sent.Detail;
            var length = Encoding.UTF8.GetByteCount(text);
            if ((bytes += length) > _limits.MaxTextsBytes)
            {
                throw known.TooLarge();
            }

            items.Add(refusal is null ? new(sent.FileName ?? "", null, text, null, null, length)
                : NewItem.Refused(sent.FileName ?? "", refusal));
        }

        return items;
    }

    private RefusedException TooMany() =>
        RefusedException.TooLarge("too-many-texts", $"A batch may contain {_limits.MaxRows:N0} texts (Headstart:Uploads:MaxRows); "
            + "send the rest in another batch.");
}
