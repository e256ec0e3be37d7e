using Headstart.Data;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Bodies;

/// <summary>
/// Assigns the category fields of a form to its files. A category applies to the files after it, until the next one; consecutive fields
/// apply together. HTML forms and many programs send fields in another order, so that this rule would give each file the category of the
/// one before it; a form whose order could mean that is refused as a whole.
/// </summary>
internal sealed class FormOrder
{
    private const long MaxHeldBytes = 64 << 20;
    private const string Cure = "Send each category before its files (category, file, file, category, file), one request for each "
        + "category, or a part named manifest before the files, a table with the header file,category.";

    private List<string>? _categories;
    private bool _fileFollowed; // then the next category begins a new list
    private bool _severalGroups;
    private bool _fileBefore; // a file came before any category
    private int _files; // files since the last list of categories
    private long _heldBytes;

    /// <summary>Whether a table says what the files show.</summary>
    public bool HasManifest { get; set; }

    /// <summary>Categories of the next file; null if none was sent yet.</summary>
    public IReadOnlyList<string>? Categories => _categories;

    /// <summary>Adds a category field.</summary>
    /// <exception cref="RefusedException">It follows a file that has no category, or is one too many.</exception>
    public void Add(string category)
    {
        if (_fileBefore && !HasManifest)
        {
            throw Refused("The form has a file before its first category, so it is not certain which category belongs to which file, and "
                + "nothing was added.");
        }

        _severalGroups |= _fileFollowed;
        if (_fileFollowed || _categories is null)
        {
            _categories = []; // not cleared: earlier files have the old list
        }

        if (!_categories.Contains(category))
        {
            _categories.Add(category);
        }

        if (_categories.Count > Model.MaxCategories)
        {
            throw RefusedException.Invalid("too-many-categories", $"The form names more than {Model.MaxCategories:N0} categories for the "
                + "same file, and a model can have no more. Files before them may have been kept; sending them again adds nothing twice.");
        }

        _files = _fileFollowed ? 0 : _files;
        _fileFollowed = false;
    }

    /// <summary>Adds a file.</summary>
    /// <returns>Whether the categories of this file and those before it are certain.</returns>
    public bool Add(UploadedFile file)
    {
        _fileFollowed = true;
        _fileBefore |= _categories is null;
        _files++;
        if (_severalGroups || HasManifest || _categories is not { Count: > 1 } || _files > _categories.Count)
        {
            return true;
        }

        _heldBytes += file.Bytes?.Length ?? 0;
        return _heldBytes > MaxHeldBytes ? throw Lists() : false;
    }

    /// <summary>Ends the form.</summary>
    /// <exception cref="RefusedException">As many files as categories came after these.</exception>
    public void End()
    {
        if (!_severalGroups && !HasManifest && _categories is { Count: > 1 } && _files == _categories.Count)
        {
            throw Lists();
        }
    }

    private static RefusedException Lists() => Refused("The form has all its categories before its files, and as many of them as files, so "
        + "it is not certain whether each file has one of them or all, and nothing was added.");

    private static RefusedException Refused(string why) => RefusedException.Invalid("unclear-order", $"{why} {Cure}");
}
