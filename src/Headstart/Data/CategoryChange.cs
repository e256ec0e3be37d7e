using Microsoft.EntityFrameworkCore;

namespace Headstart.Data;

/// <summary>A merge of categories or a rename, with what is needed to undo it. See <c>Models.CategoryChanges</c>.</summary>
public sealed class CategoryChange
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    /// <summary>The category that the examples have now. It may have been renamed or deleted since.</summary>
    public required Guid CategoryId { get; init; }

    /// <summary>The former names.</summary>
    public required List<string> From { get; init; }

    /// <summary>The name that replaced them.</summary>
    public required string Into { get; init; }

    /// <summary>The categories that were merged away; empty for a rename.</summary>
    public required List<MergedCategory> Merged { get; init; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? UndoneAt { get; set; }
}

/// <summary>A category as it was before it was merged into another.</summary>
public sealed record MergedCategory(Guid Id, string Name, int Position, string? Description);

/// <summary>The former category of an example's label whose category was merged away.</summary>
public sealed class MovedLabel
{
    public required Guid ChangeId { get; init; }

    /// <summary>The example may have been deleted since.</summary>
    public required Guid ExampleId { get; init; }

    /// <summary>The category that it had.</summary>
    public required Guid CategoryId { get; init; }

    /// <summary>In a multi-label model: the example had the other category too, and keeps it when the change is undone.</summary>
    public required bool HadBoth { get; init; }
}

/// <summary>The former category of a box whose category was merged away.</summary>
public sealed class MovedBox
{
    public required Guid ChangeId { get; init; }

    /// <summary>The box may have been deleted since.</summary>
    public required Guid BoxId { get; init; }

    /// <summary>The category that it had.</summary>
    public required Guid CategoryId { get; init; }
}

public static class CategoryNames
{
    /// <summary>Maps former names of a model's categories to their current names: they may have been renamed or merged since.</summary>
    public static async Task<Func<string, string>> NamesSinceAsync(this HeadstartDb db, Guid model, DateTime since,
        CancellationToken cancel)
    {
        var changes = await db.CategoryChanges.AsNoTracking().Where(c => c.ModelId == model && (c.CreatedAt > since || c.UndoneAt > since))
            .ToListAsync(cancel);
        List<(DateTime At, IReadOnlyList<string> From, string Into)> steps =
        [
            .. changes.Where(c => c.CreatedAt > since && c.UndoneAt is null)
                .Select(c => (c.CreatedAt, (IReadOnlyList<string>)c.From, c.Into)),
            .. changes.Where(c => c.CreatedAt <= since && c.UndoneAt > since && c.Merged.Count == 0)
                .Select(c => (c.UndoneAt!.Value, (IReadOnlyList<string>)[c.Into], c.From[0])),
        ];
        steps.Sort((one, other) => one.At.CompareTo(other.At));
        return name => steps.Aggregate(name, (now, step) => step.From.Contains(now) ? step.Into : now);
    }
}
