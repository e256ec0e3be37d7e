using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Storing;

/// <summary>The categories that an upload may name: the model's, plus those the upload creates if the model allows it.</summary>
internal sealed class KnownCategories
{
    private readonly HeadstartDb _db;
    private readonly Model _model;
    private readonly HashSet<string> _created = [];
    private readonly bool _dryRun;
    private Dictionary<string, Guid> _ids;

    private KnownCategories(HeadstartDb db, Model model, bool dryRun, Dictionary<string, Guid> ids) =>
        (_db, _model, _dryRun, _ids, Old) = (db, model, dryRun, ids, ids.Keys.ToHashSet());

    /// <summary>Names of the categories that the model had before.</summary>
    public IReadOnlySet<string> Old { get; }

    /// <summary>The id of an existing category.</summary>
    public Guid this[string name] => _ids[name];

    /// <param name="db">The database.</param>
    /// <param name="model">The model with its categories.</param>
    /// <param name="dryRun">Whether new categories are only remembered.</param>
    public static async Task<KnownCategories> OfAsync(HeadstartDb db, Model model, bool dryRun, CancellationToken cancel) =>
        new(db, model, dryRun, await ReadAsync(db, model, cancel));

    /// <summary>Whether <see cref="AddAsync"/> would create it.</summary>
    public bool IsNew(string name) => _model.CategoriesGrow && !_ids.ContainsKey(name) && _ids.Count < Model.MaxCategories;

    public async Task AddAsync(string name, CancellationToken cancel)
    {
        if (_dryRun)
        {
            _ids.Add(name, Guid.CreateVersion7());
            _created.Add(name);
            return;
        }

        await _db.Database.ExecuteSqlAsync($"""
            INSERT INTO categories (id, model_id, name, position)
            SELECT {Guid.CreateVersion7()}, id, {name}, {_ids.Count} FROM models WHERE id = {_model.Id}
                AND (SELECT count(*) FROM categories WHERE model_id = {_model.Id}) < {Model.MaxCategories}
            FOR KEY SHARE
            ON CONFLICT DO NOTHING
            """, cancel);
        _created.Add(name);
        _ids = await ReadAsync(_db, _model, cancel);
    }

    /// <summary>The name of a category with this id.</summary>
    public string NameOf(Guid id) => _ids.First(pair => pair.Value == id).Key;

    /// <returns>Why the name is refused; null if the model has the category.</returns>
    public string? Refuse(string name) => _ids.ContainsKey(name) ? null : Unknown(_model.Id, name, _ids.Keys);

    /// <summary>Sentences about created categories whose names resemble others, or contain several names; null if there are
    /// none.</summary>
    public List<string>? Notices()
    {
        var similar = _created.Count == 0 ? null : SimilarNames.Notices(_model.Id, _ids.Keys, _created.Contains);
        var joined = _model.Kind != ModelKind.MultiLabelImageClassification ? [] : _created.Where(MayBeSeveral)
            .Order(StringComparer.Ordinal).Select(name => $"\"{name}\"").ToList();
        return joined.Count == 0 ? similar :
        [
            .. similar ?? [],
            $"{(joined.Count == 1 ? "A new category has" : $"{joined.Count:N0} new categories have")} a name that may be several: "
                + $"{string.Join(", ", joined.Take(3))}. If so, delete the images and send them again: separate several categories "
                + "in a table cell with | or ;.",
        ];
    }

    private static bool MayBeSeveral(string name) => name.Split([',', '+', '/'], StringSplitOptions.TrimEntries) is { Length: > 1 } parts
        && parts.All(part => part.Length > 0);

    /// <summary>Why a name is refused that is not a category of the model.</summary>
    /// <param name="name">The name as sent.</param>
    /// <param name="has">The names of the model's categories.</param>
    public static string Unknown(Guid model, string name, IReadOnlyCollection<string> has) => $"The model has no category \"{name}\""
        + (has.FirstOrDefault(other => SimilarNames.Are(name, other)) is { } similar
            ? $", but it has \"{similar}\": {SimilarNames.Difference(name, similar)}. Use the name \"{similar}\" if you mean it."
        : has.Count >= Model.MaxCategories
            ? $", and with {has.Count:N0} categories it has as many as a model can have; drop or merge some that you do not need, or put "
                + "the rest into another model."
        : $"; it has {List(has)}. To add one, PATCH /api/v1/models/{model} with the list of all its "
                + "categories.");

    /// <summary>The ids of a model's categories with these names, without duplicates; or why a name is refused.</summary>
    public static async Task<(List<Guid> Ids, ProblemHttpResult? Refusal)> FindAsync(HeadstartDb db, Guid model,
        IEnumerable<string?> given, CancellationToken cancel)
    {
        var names = new List<string>();
        foreach (var one in given)
        {
            var (name, problem) = Names.Read(one, "category");
            if (name is null)
            {
                return ([], Problems.Invalid("unknown-category", problem!)); // no category has such a name
            }

            names.Add(name);
        }

        var ids = await db.Categories.Where(c => c.ModelId == model && names.Contains(c.Name))
            .ToDictionaryAsync(c => c.Name, c => c.Id, cancel);
        return names.Find(name => !ids.ContainsKey(name)) is not { } unknown ? ([.. ids.Values], null)
            : ([], Problems.Invalid("unknown-category",
                Unknown(model, unknown, await db.Categories.Where(c => c.ModelId == model).Select(c => c.Name).ToListAsync(cancel))));
    }

    private static Task<Dictionary<string, Guid>> ReadAsync(HeadstartDb db, Model model, CancellationToken cancel) =>
        db.Categories.Where(c => c.ModelId == model.Id).ToDictionaryAsync(c => c.Name, c => c.Id, cancel);

    private static string List(IEnumerable<string> names)
    {
        var all = names.Order(StringComparer.Ordinal).ToList();
        return string.Join(", ", all.Take(10).Select(n => $"\"{n}\""))
            + (all.Count > 10 ? $" and {all.Count - 10:N0} more" : all.Count == 0 ? "none" : "");
    }
}
