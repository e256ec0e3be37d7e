using System.ComponentModel;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Operations;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <param name="Text">The text.</param>
/// <param name="Category">Its category; nothing for a text that only shows how words are used.</param>
/// <param name="Split">The side on which a new text is kept: <c>test</c>, or <c>train</c> (<c>val</c> is the same); otherwise the content decides.</param>
public sealed record NewText(string Text, string? Category = null, string? Split = null);

/// <summary>Texts with and without a category. A string in the list is a text without one.</summary>
public sealed record NewTextsRequest(IReadOnlyList<NewText> Texts);

/// <param name="Category">The right category; it counts as confirmed then.</param>
/// <param name="Confirmed">Whether a person has found the category right, so that reports do not suspect it any more.</param>
public sealed record TextChange(string? Category = null, bool? Confirmed = null);

public static class TextsApi
{
    public static void MapTexts(this RouteGroupBuilder api)
    {
        var texts = api.MapGroup("/models/{id:guid}/texts").WithTags("Texts").ForTexts("send them to {0}/images");
        texts.MapPost("/", Upload).Spends(Quota.Images, Quota.Bytes).Named("addTexts", "Add texts, with or without categories",
                "Step 2 of the main job in a text model. The body is one of these. JSON or JSON Lines: each text has its category, or none. A table (CSV or "
                + "tab-separated) with the header text,category. Plain text, a text a line, all of ?category= or of none. A form with files of these kinds. "
                + "Texts without a category are worth sending: how words are used in them is learned too.\n\n"
                + "Texts that cannot be used are listed with the reason; the others are kept. Sending a text again adds nothing; sent with a category it gets "
                + "that one if it had none.")
            .WithMetadata(new FileForm(new Dictionary<string, string> { ["category"] = "" }, RawImage: false, Json: typeof(NewTextsRequest), Texts: true))
            .WithMetadata(new BodyExample("""{"texts":[{"text":"I loved every minute","category":"positive"},{"text":"A film about a train"}]}"""))
            .Refuses(400, 401, 404, 413, 415, 422, 507);
        texts.MapGet("/", List).Named("listTexts", "List the texts", "Newest first; of one category with ?category=, with or without a category with ?labelled=.").Refuses(400, 401, 404);
        texts.MapGet("/{textId:guid}", Get).Named("getText", "Get a text", "What is known of it.").Refuses(401, 404);
        texts.MapPatch("/{textId:guid}", Change).Named("changeText", "Give a text its right category, or confirm the one it has",
                "The category must be one of the model's. What a person has set or confirmed is not suspected by reports any more.")
            .Example("""{"category":"positive"}""").Refuses(400, 401, 404, 422);
        texts.MapDelete("/{textId:guid}", Delete).Named("deleteText", "Delete a text", "Versions that learned from it stay as they are.").Refuses(401, 404);
    }

    private static async Task<Results<Ok<TakenTexts>, ProblemHttpResult>> Upload(
        Guid id, HttpContext http, [FromQuery][Description("Of texts that come without one.")] string? category,
        HeadstartDb db, TextUpload upload, CancellationToken cancel)
    {
        if (await db.ModelsOf(http.User).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        try
        {
            return Answer(await upload.AddAsync(model, Of(upload.ReadAsync(http.Request, cancel), category), confirmed: false, cancel));
        }
        catch (UploadRefusedException e)
        {
            return e.Problem();
        }
    }

    private static async Task<Results<Ok<Page<StoredText>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, string? category, bool? labelled, [AsParameters] PageQuery page, CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        var (size, after) = (Page.Limit(page.Limit), page.After);
        var rows = await db.Examples.Include(i => i.Labels).Where(i => i.ModelId == id && (after == null || i.Id < after))
            .Where(i => category == null || i.Labels.Any(l => db.Categories.Any(c => c.Id == l.CategoryId && c.Name == category)))
            .Where(i => labelled == null || i.Labels.Any() == labelled)
            .OrderByDescending(i => i.Id).Take(size + 1).ToListAsync(cancel);
        var names = NamesOf(model);
        return TypedResults.Ok(Page.Of(rows.ConvertAll(row => StoredText.Of(row, names)), size, text => text.Id.ToString()));
    }

    private static async Task<Results<Ok<StoredText>, ProblemHttpResult>> Get(
        Guid id, Guid textId, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await db.ModelsOf(caller).Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is { } model
        && await db.Examples.Include(i => i.Labels).SingleOrDefaultAsync(i => i.ModelId == id && i.Id == textId, cancel) is { } row
            ? TypedResults.Ok(StoredText.Of(row, NamesOf(model)))
            : NoSuchText(id);

    private static async Task<Results<Ok<StoredText>, ProblemHttpResult>> Change(
        Guid id, Guid textId, TextChange change, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (change is { Category: null, Confirmed: null })
        {
            return Problems.Invalid("nothing-to-change", "Send the text's right category, or confirmed: true where the one it has is right.");
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.HoldModelAsync(id);
        var confirmed = change.Confirmed ?? true;
        // The row first: of two changes at once one waits here, so that the text never has the categories of both.
        if (!await db.ModelsOf(caller).AnyAsync(m => m.Id == id, cancel)
            || await db.Examples.Where(i => i.ModelId == id && i.Id == textId).ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, confirmed), cancel) == 0)
        {
            return NoSuchText(id);
        }

        if (change.Category is not null)
        {
            var name = Names.Read(change.Category, "category").Name;
            if (await db.Categories.SingleOrDefaultAsync(c => c.ModelId == id && c.Name == name, cancel) is not { } category)
            {
                return Problems.Invalid("unknown-category", "The model has no such category; GET the model for those it has, PATCH it to add one.");
            }

            await db.ExampleLabels.Where(l => l.ExampleId == textId).ExecuteDeleteAsync(cancel);
            db.Add(new ExampleLabel { ExampleId = textId, CategoryId = category.Id });
            await db.SaveChangesAsync(cancel);
        }
        else if (confirmed && !await db.ExampleLabels.AnyAsync(l => l.ExampleId == textId, cancel))
        {
            return Problems.Invalid("no-category", "The text has no category that could be confirmed; send its category.");
        }

        await transaction.CommitAsync(cancel);
        return await Get(id, textId, db, caller, cancel);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(
        Guid id, Guid textId, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        await db.ModelsOf(caller).AnyAsync(m => m.Id == id, cancel)
        && await db.DeleteExamplesAsync(id, i => i.Id == textId, cancel) == 1
            ? TypedResults.NoContent()
            : NoSuchText(id);

    private static Results<Ok<TakenTexts>, ProblemHttpResult> Answer(TakenTexts answer) => answer.Accepted.Count > 0 ? TypedResults.Ok(answer)
        : answer.Rejected.Count == 0 ? Problems.Invalid("no-texts", "There is no text in the request, so there was nothing to add.")
        : answer.Rejected.FirstOrDefault(text => text.Exceeded is not null)?.Exceeded is { } exceeded
            ? exceeded.Problem(("accepted", answer.Accepted), ("rejected", answer.Rejected.Take(100)))
        : Problems.Of(StatusCodes.Status422UnprocessableEntity, "nothing-accepted", $"None of the texts could be used; the first one: {answer.Rejected[0].Detail}",
            ("accepted", answer.Accepted), ("rejected", answer.Rejected.Take(100)));

    private static async IAsyncEnumerable<SentText> Of(IAsyncEnumerable<SentText> texts, string? category)
    {
        await foreach (var text in texts)
        {
            yield return string.IsNullOrWhiteSpace(text.Category) ? text with { Category = category } : text;
        }
    }

    private static Dictionary<Guid, string> NamesOf(Model model) => model.Categories.ToDictionary(c => c.Id, c => c.Name);

    private static ProblemHttpResult NoSuchText(Guid id) => Problems.NoSuch("text", $"/api/v1/models/{id}/texts");
}
