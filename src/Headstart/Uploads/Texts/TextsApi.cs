using System.ComponentModel;
using System.Security.Claims;
using System.Text.Json.Serialization;
using Headstart.Access;
using Headstart.Data;
using Headstart.Uploads.Files;
using Headstart.Uploads.Storing;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Texts;

/// <param name="Text">The text.</param>
/// <param name="Category">Its category; omit it for an unlabelled text, from which only word usage is learned.</param>
/// <param name="Split">The split of a new text: <c>test</c> or <c>train</c> (<c>val</c> counts as train). By default its content
/// decides.</param>
/// <param name="Confirmed">Whether a user has confirmed the category of a new text.</param>
/// <param name="FileName">The file that contains it.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record NewText(string Text, string? Category = null, string? Split = null, bool? Confirmed = null, string? FileName = null);

/// <param name="Category">Only texts of this category.</param>
/// <param name="Split">Only <c>train</c> or <c>test</c>.</param>
/// <param name="Labelled">Only texts with a category, or only those without.</param>
public sealed record TextQuery(
    [property: FromQuery(Name = "category")] string? Category, [property: FromQuery(Name = "split")] string? Split,
    [property: FromQuery(Name = "labelled")] bool? Labelled);

/// <summary>Texts with or without a category. A plain string is a text without a category.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record NewTextsRequest(IReadOnlyList<NewText> Texts);

/// <param name="Category">The correct category; setting it confirms it.</param>
/// <param name="Confirmed">Whether a user has confirmed the category; reports no longer suspect it.</param>
/// <param name="Split">The split to move the text to: <c>train</c>, or <c>test</c>, from which no later run learns.</param>
public sealed record TextChange(string? Category = null, bool? Confirmed = null, Split? Split = null);

public static class TextsApi
{
    public static void MapTexts(this RouteGroupBuilder api)
    {
        var texts = api.MapGroup("/models/{id:guid}/texts").WithTags("Texts").ForTexts("send them to {0}/images");
        Map("/", "addTexts", "Add texts, with or without categories", "Step 2 of the main job for a text model. Each text has a category, "
                + "or none. The bodies of the paths below are accepted here, too. ?dryRun=true stores nothing and answers as /dry-run "
                + "does.")
            .WithMetadata(new JsonBody(typeof(NewTextsRequest)), new BodyExample("""{"texts":[{"text":"I loved every minute","category":"positive"},{"text":"A film about a train"}]}"""));
        texts.MapPost("/dry-run", Plan).Named("planTexts", "Try a list of texts", "Nothing is stored; the answer says what the upload "
                + "would do: the categories, how many texts for training and testing, what would be left out, and why.")
            .WithMetadata(new JsonBody(typeof(NewTextsRequest)), new BodyExample("""{"texts":[{"text":"I loved it","category":"positive"}]}"""))
            .Refuses(400, 401, 404, 413, 415, 422);
        Map("/table", "addTextTable", "Add the texts of a table", "CSV or tab-separated with the header text,category; JSON Lines; or "
                + "plain text with one text per line. ?category= labels texts that have no category of their own.")
            .WithMetadata(new RawBody("text,category\nI loved it,positive\n", "text/csv", "text/tab-separated-values", "application/jsonl",
                "text/plain"));
        Map("/files", "addTextFiles", "Add the texts of files", "A form with parts named file, each of them such a table.")
            .WithMetadata(new FileForm(new Dictionary<string, string>()));
        texts.MapGet("/", List).Named("listTexts", "List the texts", "Newest first; ?category= filters by category, ?split= by "
            + "train or test, ?labelled= by whether a text has a category.").Refuses(400, 401, 404, 422);
        texts.MapGet("/{textId:guid}", Get).Named("getText", "Get a text", "The text and its details.").Refuses(401, 404);
        texts.MapPatch("/{textId:guid}", Change).Named("changeText", "Correct or confirm a text's category, or change its split",
                "The category must be one of the model's. Reports no longer suspect a label that a user has set or confirmed. Send split "
                + "to move the text to train or test from the next run on.")
            .Example("""{"category":"positive"}""").Refuses(400, 401, 404, 422);
        texts.MapDelete("/{textId:guid}", Delete).Named("deleteText", "Delete a text", "Versions trained on it do not "
            + "change.").Refuses(401, 404);

        RouteHandlerBuilder Map(string path, string name, string summary, string description) => texts.MapPost(path, Upload)
            .Spends(Quota.Images, Quota.Bytes).Named(name, summary, $"{description} Unlabelled texts help too: the model learns from them "
                + "how words are used.\n\nTexts that cannot be used are listed with the reason; the others are kept. Sending a text again "
                + "adds nothing, except that an unlabelled text gets the category sent with it.")
            .WithMetadata(new TakesMore("dryRun")).Produces<TakenTexts>().Refuses(400, 401, 404, 413, 415, 422, 507);
    }

    private static async Task<IResult> Upload(
        Guid id, HttpContext http, [FromQuery][Description("The category of texts sent without one.")] string? category,
        [FromQuery] bool? dryRun, HeadstartDb db, TextUpload upload, CancellationToken cancel) =>
        await db.ModelsOf(http.User).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model ? Problems.NoSuchModel()
        : dryRun is true ? TypedResults.Ok(await upload.PlanAsync(model, Of(upload.ReadAsync(http.Request, cancel), category), cancel))
        : Answer(await upload.AddAsync(model, Of(upload.ReadAsync(http.Request, cancel), category), confirmed: false, cancel)).Result;

    private static async Task<Results<Ok<UploadPlan>, ProblemHttpResult>> Plan(
        Guid id, HttpContext http, HeadstartDb db, TextUpload upload, CancellationToken cancel) =>
        await db.ModelsOf(http.User).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model ? Problems.NoSuchModel()
            : TypedResults.Ok(await upload.PlanAsync(model, upload.ReadAsync(http.Request, cancel), cancel));

    private static async Task<Results<Ok<Page<StoredText>>, ProblemHttpResult>> List(
        Guid id, HeadstartDb db, ClaimsPrincipal caller, [AsParameters] TextQuery query, [AsParameters] PageQuery page,
        CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        if (!SplitNames.TryRead(query.Split, out var side))
        {
            return SplitNames.Unknown();
        }

        var (after, named) = (page.After, query.Category is null ? null : Names.Clean(query.Category));
        var rows = db.Examples.Include(i => i.Labels).Where(i => i.ModelId == id && (after == null || i.Id < after))
            .Where(i => named == null || i.Labels.Any(l => db.Categories.Any(c => c.Id == l.CategoryId && c.Name == named)))
            .Where(i => side == null || i.Split == side)
            .Where(i => query.Labelled == null || i.Labels.Any() == query.Labelled)
            .OrderByDescending(i => i.Id);
        var names = NamesOf(model);
        return TypedResults.Ok(await Page.ReadAsync(rows, page.Limit, row => StoredText.Of(row, names), text => text.Id.ToString(),
            cancel));
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
        if (change is { Category: null, Confirmed: null, Split: null })
        {
            return Problems.Invalid("nothing-to-change", "Send the text's correct category, confirmed: true if the current one is "
                + "correct, or the split to move it to.");
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.HoldModelAsync(id);
        bool? confirmed = change.Confirmed ?? (change.Category is null ? null : true);
        // Lock the row first: of two concurrent changes one waits here, so the text never gets the categories of both.
        if (!await db.ModelsOf(caller).AnyAsync(m => m.Id == id, cancel)
            || await db.Examples.Where(i => i.ModelId == id && i.Id == textId)
                .ExecuteUpdateAsync(set => set.SetProperty(i => i.Confirmed, i => confirmed ?? i.Confirmed), cancel) == 0)
        {
            return NoSuchText(id);
        }

        if (change.Category is not null)
        {
            var (categories, refusal) = await KnownCategories.FindAsync(db, id, [change.Category], cancel);
            if (refusal is not null)
            {
                return refusal;
            }

            await db.ExampleLabels.Where(l => l.ExampleId == textId).ExecuteDeleteAsync(cancel);
            db.Add(new ExampleLabel { ExampleId = textId, CategoryId = categories[0] });
            await db.SaveChangesAsync(cancel);
        }
        else if (confirmed == true && !await db.ExampleLabels.AnyAsync(l => l.ExampleId == textId, cancel))
        {
            return Problems.Invalid("no-category", "The text has no category to confirm; send its category.");
        }

        if (change.Split is { } side)
        {
            await db.MoveAsync(textId, side, cancel);
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

    private static Results<Ok<TakenTexts>, ProblemHttpResult> Answer(TakenTexts answer) =>
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
