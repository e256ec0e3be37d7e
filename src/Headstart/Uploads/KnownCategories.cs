using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <summary>The categories that an upload may name: the model's, plus those the upload creates if the model allows it.</summary>
internal sealed class KnownCategories
{
    private readonly HeadstartDb _db;
    private readonly Model _model;
    private readonly bool _dryRun;
    private Dictionary<string, Guid> _ids;

    private KnownCategories(HeadstartDb db, Model model, bool dryRun, Dictionary<string, Guid> ids) =>
        (_db, _model, _dryRun, _ids, Old) = (db, model, dryRun, ids, ids.Keys.ToHashSet());

    /// <summary>Those that the model had before.</summary>
    public IReadOnlySet<string> Old { get; }

    /// <summary>The id of an existing category.</summary>
    public Guid this[string name] => _ids[name];

    /// <param name="db">Has the model.</param>
    /// <param name="model">Its categories.</param>
    /// <param name="dryRun">Whether new categories are only remembered.</param>
    /// <param name="cancel">Ends the reading.</param>
    public static async Task<KnownCategories> OfAsync(HeadstartDb db, Model model, bool dryRun, CancellationToken cancel) =>
        new(db, model, dryRun, await ReadAsync(db, model, cancel));

    /// <summary>Whether <see cref="AddAsync"/> would create it.</summary>
    public bool IsNew(string name) => _model.CategoriesGrow && !_ids.ContainsKey(name) && _ids.Count < Model.MaxCategories;

    public async Task AddAsync(string name, CancellationToken cancel)
    {
        if (_dryRun)
        {
            _ids.Add(name, Guid.CreateVersion7());
            return;
        }

        await _db.Database.ExecuteSqlAsync($"""
            INSERT INTO categories (id, model_id, name, position)
            SELECT {Guid.CreateVersion7()}, id, {name}, {_ids.Count} FROM models WHERE id = {_model.Id} FOR KEY SHARE
            ON CONFLICT DO NOTHING
            """, cancel);
        _ids = await ReadAsync(_db, _model, cancel);
    }

    /// <summary>The name of a category with this id.</summary>
    public string NameOf(Guid id) => _ids.First(pair => pair.Value == id).Key;

    /// <returns>Why the name is refused; null if the model has the category.</returns>
    public string? Refuse(string name) => _ids.ContainsKey(name) ? null
        : $"The model has no category \"{name}\"; it has {List(_ids.Keys)}. PATCH the model to add one.";

    private static Task<Dictionary<string, Guid>> ReadAsync(HeadstartDb db, Model model, CancellationToken cancel) =>
        db.Categories.Where(c => c.ModelId == model.Id).ToDictionaryAsync(c => c.Name, c => c.Id, cancel);

    private static string List(IEnumerable<string> names)
    {
        var all = names.Order(StringComparer.Ordinal).ToList();
        return string.Join(", ", all.Take(10).Select(n => $"\"{n}\""))
            + (all.Count > 10 ? $" and {all.Count - 10} more" : all.Count == 0 ? "none" : "");
    }
}
