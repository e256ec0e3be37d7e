using System.Globalization;
using Headstart.Data;

namespace Headstart.Uploads.Storing;

/// <param name="Name">Its name as it would be stored.</param>
/// <param name="IsNew">Whether the upload would create it.</param>
/// <param name="Examples">Number of examples of the upload that would be in it.</param>
/// <param name="Train">How many of them for training.</param>
/// <param name="Test">How many of them for testing.</param>
public sealed record PlannedCategory(string Name, bool IsNew, int Examples, int Train, int Test);

/// <param name="Reason">A stable slug, such as <c>damaged</c> or <c>unknown-category</c>.</param>
/// <param name="Count">Number of files that would be rejected for this reason.</param>
/// <param name="FirstFile">The name of the first of them.</param>
/// <param name="Detail">What is wrong with the first one and how to fix it.</param>
public sealed record PlannedRejection(string Reason, int Count, string? FirstFile, string Detail);

/// <param name="FileName">Its name as sent.</param>
/// <param name="Categories">Empty if the file would be left out.</param>
/// <param name="Split">Its split, if the folders give it; otherwise its content decides.</param>
/// <param name="Reason">Why the file would be left out; null if it would be accepted.</param>
public sealed record PlannedFile(string FileName, IReadOnlyList<string> Categories, Split? Split, string? Reason);

/// <summary>The plan of an upload. Nothing was stored.</summary>
/// <param name="Sentence">The plan in one sentence.</param>
/// <param name="Examples">Number of images or texts that would be accepted, including those that the model has already.</param>
/// <param name="Undecided">How many of them have a split that only their content decides, which was not read: a fifth is held
/// out.</param>
/// <param name="Categories">In the order of the upload.</param>
/// <param name="Rejected">What would be rejected, by reason.</param>
/// <param name="Notices">What you should know, such as what would be left out, as sentences.</param>
/// <param name="Files">The plan for each file, for a list of names only.</param>
public sealed record UploadPlan(
    string Sentence, int Examples, int Undecided, IReadOnlyList<PlannedCategory> Categories, IReadOnlyList<PlannedRejection> Rejected,
    IReadOnlyList<string> Notices, IReadOnlyList<PlannedFile>? Files);

/// <summary>Sums up the plan for each file of an upload.</summary>
/// <param name="categories">Categories of the model and the upload.</param>
/// <param name="kind">Kind of the model.</param>
internal sealed class PlanSum(KnownCategories categories, ModelKind kind)
{
    private const double HeldOut = 0.2;

    private readonly Dictionary<Guid, (int All, int Train, int Test)> _categories = [];
    private readonly List<Guid> _order = [];
    private readonly List<(RejectedFile First, int Count)> _rejected = [];
    private int _all, _test, _undecided, _unlooked;

    public void Add(CheckedFile file)
    {
        if (file.Rejected is { } rejected)
        {
            Reject(rejected);
            return;
        }

        var split = file.Split ?? (file.Sha256.Length > 0 ? Example.SplitOf(file.Sha256) : null);
        _all++;
        _unlooked += kind.HasBoxes() && file.Boxes is null ? 1 : 0;
        _test += split == Split.Test ? 1 : 0;
        _undecided += split is null ? 1 : 0;
        foreach (var id in file.Categories)
        {
            if (!_categories.TryGetValue(id, out var sum))
            {
                _order.Add(id);
            }

            _categories[id] = (sum.All + 1, sum.Train + (split == Split.Train ? 1 : 0), sum.Test + (split == Split.Test ? 1 : 0));
        }
    }

    public void Reject(RejectedFile rejected)
    {
        var at = _rejected.FindIndex(one => one.First.Reason == rejected.Reason);
        if (at < 0)
        {
            _rejected.Add((rejected, 1));
        }
        else
        {
            _rejected[at] = (_rejected[at].First, _rejected[at].Count + 1);
        }
    }

    /// <param name="notices">Notices about the body.</param>
    /// <param name="files">The files of a list of names.</param>
    public UploadPlan Plan(IReadOnlyList<string> notices, IReadOnlyList<PlannedFile>? files = null) => new(Sentence(), _all, _undecided,
        [.. _order.Select(id => (Name: categories.NameOf(id), Sum: _categories[id]))
            .Select(c => new PlannedCategory(c.Name, !categories.Old.Contains(c.Name), c.Sum.All, c.Sum.Train, c.Sum.Test))],
        [.. _rejected.Select(r => new PlannedRejection(r.First.Reason, r.Count, r.First.FileName, r.First.Detail))],
        [.. notices, .. _unlooked > 0 ? [ImageUpload.Unlooked(_unlooked)] : (string[])[]], files);

    private string Sentence()
    {
        var rejected = _rejected.Sum(r => r.Count);
        var left = rejected == 0 ? "." : $"; {Count(rejected, "file")} will be left out: {_rejected[0].First.Detail}";
        if (_all == 0)
        {
            return $"Nothing would be added{left}";
        }

        var share = 100 * (_test + HeldOut * _undecided) / _all;
        return $"{Count(_order.Count, "category", "categories")}, {Count(_all, kind.Noun())}, "
            + string.Create(CultureInfo.InvariantCulture, $"{(_undecided > 0 ? "about " : "")}{share:0} % for testing{left}");
    }

    private static string Count(int count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many ?? one + "s")}");
}
