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
/// <param name="Category">Its category; omit it for an unlabelled text, from which only word usage is learned.</param>
/// <param name="Split">The split of a new text: <c>test</c> or <c>train</c> (<c>val</c> counts as train). By default its content
/// decides.</param>
/// <param name="Confirmed">Whether a person has confirmed the category of a new text.</param>
/// <param name="FileName">The file that contains it.</param>
public sealed record NewText(string Text, string? Category = null, string? Split = null, bool? Confirmed = null, string? FileName = null);

/// <summary>Texts with or without a category. A plain string is a text without a category.</summary>
public sealed record NewTextsRequest(IReadOnlyList<NewText> Texts);

/// <param name="Category">The correct category; setting it confirms it.</param>
/// <param name="Confirmed">Whether a person has confirmed the category; reports no longer suspect it.</param>
public sealed record TextChange(string? Category = null, bool? Confirmed = null);

public static class TextsApi
{
    public static void MapTexts(this RouteGroupBuilder api)
    {
        var texts = api.MapGroup("/models/{id:guid}/texts").WithTags("Texts").ForTexts("send them to {0}/images");
        texts.MapPost("/", Upload).Spends(Quota.Images, Quota.Bytes).Named("addTexts", "Add texts, with or without categories",
                "Step 2 of the main job for a text model. Send one of these. JSON or JSON Lines: each text has a category, or none. A "
                + "table (CSV or tab-separated) with the header text,category. Plain text with one text per line; ?category= labels "
                + "all of them. A form with files of these formats. Unlabelled texts help too: the model learns from them how words "
                + "are used.\n\nTexts that cannot be used are listed with the reason; the others are kept. Sending a text again adds "
                + "nothing, except that an unlabelled text gets the category sent with it.\n\n?dryRun=true stores nothing and answers what "
                + "the same request would do.")
            .WithMetadata(new FileForm(new Dictionary<string, string> { ["category"] = "" }, RawImage: false, Json: typeof(NewTextsRequest),
                Texts: true))
            .WithMetadata(new BodyExample("""{"texts":[{"text":"I loved every minute","category":"positive"},{"text":"A film about a train"}]}"""))
            .WithMetadata(new AlsoAnswers(typeof(UploadPlan))).Produces<TakenTexts>().Refuses(400, 401, 404, 413, 415, 422, 507);
        texts.MapGet("/", List).Named("listTexts", "List the texts", "Newest first; ?category= filters by category, ?labelled= by "
            + "whether a text has one.").Refuses(400, 401, 404);
        texts.MapGet("/{textId:guid}", Get).Named("getText", "Get a text", "The text and its details.").Refuses(401, 404);
        texts.MapPatch("/{textId:guid}", Change).Named("changeText", "Correct or confirm a text's category",
                "The category must be one of the model's. Reports no longer suspect a label that a person has set or confirmed.")
            .Example("""{"category":"positive"}""").Refuses(400, 401, 404, 422);
        texts.MapDelete("/{textId:guid}", Delete).Named("deleteText", "Delete a text", "Versions trained on it do not "
            + "change.").Refuses(401, 404);
    }

    private static async Task<Results<Ok<TakenTexts>, Ok<UploadPlan>, ProblemHttpResult>> Upload(
        Guid id, HttpContext http, [FromQuery][Description("The category of texts sent without one.")] string? category,
        [FromQuery][Description("true stores nothing and answers what the request would do.")] bool? dryRun,
        HeadstartDb db, TextUpload upload, CancellationToken cancel)
    {
        if (await db.ModelsOf(http.User).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        var texts = Of(upload.ReadAsync(http.Request, cancel), category);
        return dryRun is true ? TypedResults.Ok(await upload.PlanAsync(model, texts, cancel))
            : Answer(await upload.AddAsync(model, texts, confirmed: false, cancel));
    }

    private static async Task<Results<Ok<Page<StoredText>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, string? category, bool? labelled, [AsParameters] PageQuery page,
        CancellationToken cancel)
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
            return Problems.Invalid("nothing-to-change", "Send the text's correct category, or confirmed: true if the current one is "
                + "correct.");
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.HoldModelAsync(id);
        var confirmed = change.Confirmed ?? true;
        // Lock the row first: of two concurrent changes one waits here, so the text never gets the categories of both.
        if (!await db.ModelsOf(caller).AnyAsync(m => m.Id == id, cancel)
            || await db.Examples.Where(i => i.ModelId == id && i.Id == textId)
                .ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, confirmed), cancel) == 0)
        {
            return NoSuchText(id);
        }

        if (change.Category is not null)
        {
            var name = Names.Read(change.Category, "category").Name;
            if (await db.Categories.SingleOrDefaultAsync(c => c.ModelId == id && c.Name == name, cancel) is not { } category)
            {
                return Problems.Invalid("unknown-category", "The model has no such category; GET the model to list its categories, PATCH "
                    + "it to add one.");
            }

            await db.ExampleLabels.Where(l => l.ExampleId == textId).ExecuteDeleteAsync(cancel);
            db.Add(new ExampleLabel { ExampleId = textId, CategoryId = category.Id });
            await db.SaveChangesAsync(cancel);
        }
        else if (confirmed && !await db.ExampleLabels.AnyAsync(l => l.ExampleId == textId, cancel))
        {
            return Problems.Invalid("no-category", "The text has no category to confirm; send its category.");
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

    private static Results<Ok<TakenTexts>, Ok<UploadPlan>, ProblemHttpResult> Answer(TakenTexts answer) =>
        answer.Accepted.Count > 0 ? TypedResults.Ok(answer)
        : answer.Rejected.Count == 0 ? Problems.Invalid("no-texts", "The request contains no text, so nothing was added.")
        : answer.Rejected.FirstOrDefault(text => text.Exceeded is not null)?.Exceeded is { } exceeded
            ? exceeded.Problem(("accepted", answer.Accepted), ("rejected", answer.Rejected.Take(100)))
        : Problems.Of(StatusCodes.Status422UnprocessableEntity, "nothing-accepted", "None of the texts could be used. The first one: "
            + $"{answer.Rejected[0].Detail}",
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
