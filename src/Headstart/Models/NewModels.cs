using Headstart.Access;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Headstart.Models;

/// <summary>Names and categories of new models, for every protocol.</summary>
public static class NewModels
{
    /// <param name="account">Owns it.</param>
    /// <param name="name">Cleaned by <see cref="Names"/>.</param>
    /// <param name="kind">What its examples are and how many categories each has.</param>
    /// <param name="categories">From <see cref="ReadCategories"/>; if empty, uploads create the categories they name.</param>
    /// <param name="now">Creation time.</param>
    public static Model Of(Guid account, string name, ModelKind kind, IReadOnlyList<string> categories, DateTime now)
    {
        var model = new Model
        {
            Id = Guid.CreateVersion7(),
            AccountId = account,
            Name = name,
            Kind = kind,
            CategoriesGrow = categories.Count == 0,
            CreatedAt = now,
        };
        model.Categories.AddRange(categories.Select((category, position) => Category(model.Id, category, position)));
        return model;
    }

    public static Category Category(Guid model, string name, int position) =>
        new() { Id = Guid.CreateVersion7(), ModelId = model, Name = name, Position = position };

    /// <returns>Why they are refused; null if they are accepted.</returns>
    public static ProblemHttpResult? ReadCategories(IReadOnlyList<string?> given, out List<string> names)
    {
        names = [];
        if (given.Count > Model.MaxCategories)
        {
            return Problems.Invalid("too-many-categories", $"A model can have at most {Model.MaxCategories:N0} categories; this request "
                + $"has {given.Count:N0}. Put the rest into another model.");
        }

        for (var i = 0; i < given.Count; i++)
        {
            var (name, problem) = Names.Read(given[i], "category");
            if (name is null || names.Contains(name))
            {
                return Problems.Of(StatusCodes.Status422UnprocessableEntity, name is null ? "invalid-name" : "duplicate-category",
                    problem ?? $"The category \"{name}\" is listed twice.", ("index", i));
            }

            names.Add(name);
        }

        return null;
    }

    /// <summary>Sets descriptions of categories.</summary>
    /// <param name="categories">All categories of the model.</param>
    /// <param name="given">By name; null or blank removes a description.</param>
    /// <returns>Why they are refused; null if they are accepted.</returns>
    public static ProblemHttpResult? Describe(IReadOnlyList<Category> categories, IReadOnlyDictionary<string, string?>? given)
    {
        foreach (var (key, text) in given ?? new Dictionary<string, string?>())
        {
            var name = key.Length > Names.MaxLength ? key : Names.Clean(key);
            if (categories.FirstOrDefault(c => c.Name == name) is not { } category)
            {
                return Problems.Invalid("unknown-category", $"There is no category \"{RequestBodies.Readable(key)}\" to describe; list "
                    + "it in categories, too.");
            }

            if (text?.Length > Data.Category.LongestDescription)
            {
                return Problems.Invalid("invalid-description", $"The description of \"{name}\" has {text.Length:N0} characters; at most "
                    + $"{Data.Category.LongestDescription} are allowed. One sentence is best: a photo of a cat, lying or sitting.");
            }

            var words = Names.Clean(text ?? "");
            if (words.Any(char.IsControl) || words.Contains('\uFFFD'))
            {
                return Problems.Invalid("invalid-description", $"The description of \"{name}\" must be one line of text, without control "
                    + "characters or characters that are not valid UTF-8.");
            }

            category.Description = words.Length == 0 ? null : words;
        }

        return null;
    }

    /// <returns>Why the account cannot have it; null if it was saved.</returns>
    public static async Task<ProblemHttpResult?> AddAsync(HeadstartDb db, Model model, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if ((await db.HoldQuotasAsync(model.AccountId)).Models is { } limit && (await db.StoredAsync(model.AccountId, cancel))
            .Models is var has && has >= limit)
        {
            return new QuotaUse(Quota.Models, limit, has).Problem();
        }

        db.Add(model);
        if (await SaveAsync(db, model.Name, cancel) is { } taken)
        {
            return taken;
        }

        await transaction.CommitAsync(cancel);
        return null;
    }

    /// <returns>Why the database refused it; null if it was saved.</returns>
    public static async Task<ProblemHttpResult?> SaveAsync(HeadstartDb db, string name, CancellationToken cancel)
    {
        try
        {
            await db.SaveChangesAsync(cancel);
            return null;
        }
        catch (DbUpdateException e) when (e.InnerException
            is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "models" })
        {
            return Problems.Of(StatusCodes.Status409Conflict, "name-taken",
                $"You already have a model named \"{name}\"; choose another name.");
        }
    }
}
