using System.Text.Json.Serialization;
using Headstart.Data;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Uploads.Texts;

/// <param name="Category">The correct category.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record LabelledText(string Text, string Category);

/// <summary>A misclassified text with its correct category.</summary>
internal sealed class TextFeedback(TextUpload upload, Settings settings)
{
    /// <returns>The stored text, or why it was refused.</returns>
    public async Task<Results<Ok<TakenTexts>, ProblemHttpResult>> TakeAsync(Model model, HttpRequest request, CancellationToken cancel)
    {
        if (!request.HasJsonContentType())
        {
            return Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                """Send application/json with the text and its correct category, such as {"text":"…","category":"…"}.""");
        }

        // JSON may write a byte as \u0061; Kestrel answers 413.
        request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = 6L * settings.Uploads.MaxTextBytes
            + (1 << 16);
        var sent = SentText.Of(await Json.ReadAsync<System.Text.Json.JsonElement>(request, cancel));
        if (sent.Reason is null && string.IsNullOrWhiteSpace(sent.Category))
        {
            return Problems.Invalid("missing-category", "Send the correct category of the text in the field category.");
        }

        var taken = await upload.AddAsync(model, One(sent), confirmed: true, cancel);
        return taken.Rejected is [{ Exceeded: { } exceeded }, ..] ? exceeded.Problem()
            : taken.Rejected is [var refused, ..] ? Problems.Invalid(refused.Reason, refused.Detail) : TypedResults.Ok(taken);
    }

    private static async IAsyncEnumerable<SentText> One(SentText text)
    {
        await Task.CompletedTask;
        yield return text;
    }
}
