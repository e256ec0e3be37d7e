using Headstart.Learning;

namespace Headstart.Data;

public enum ModelKind
{
    ImageClassification,

    /// <summary>An image may show several of the categories, or none.</summary>
    MultiLabelImageClassification,

    /// <summary>Each text belongs to one of the categories. Texts without one are learned from too: they show how words are used.</summary>
    TextClassification,

    /// <summary>An image shows any number of objects, each a category and a box.</summary>
    ObjectDetection,
}

public static class ModelKinds
{
    /// <summary>Whether an image may have several categories, or none.</summary>
    public static bool TakesSeveral(this ModelKind kind) => kind is ModelKind.MultiLabelImageClassification or ModelKind.ObjectDetection;

    /// <summary>Whether an example says where its categories are, with boxes.</summary>
    public static bool HasBoxes(this ModelKind kind) => kind == ModelKind.ObjectDetection;

    /// <summary>Categories that a run needs: to find objects of one is enough, to tell apart takes two.</summary>
    public static int MinCategories(this ModelKind kind) => kind.HasBoxes() ? 1 : TrainingDefaults.MinCategories;

    /// <summary>Examples with a category that a run needs.</summary>
    public static int MinExamples(this ModelKind kind) => kind.HasBoxes() ? TrainingDefaults.MinImagesWithBoxes : kind.MinCategories();

    /// <summary>Whether its examples are texts, not images.</summary>
    public static bool IsText(this ModelKind kind) => kind == ModelKind.TextClassification;

    /// <summary>Whether words can say what its categories look like: a text tells a category's images from those of the others.</summary>
    public static bool ReadsWords(this ModelKind kind) => kind == ModelKind.ImageClassification;

    /// <summary>What an example is called in a sentence.</summary>
    public static string Noun(this ModelKind kind) => kind.IsText() ? "text" : "image";

    /// <summary>The plural of <see cref="Noun"/>.</summary>
    public static string Nouns(this ModelKind kind) => kind.IsText() ? "texts" : "images";
}

/// <summary>How far a model is; derived from what it has, never stored.</summary>
public enum ModelState
{
    Empty,
    Collecting,
    Ready,
    Training,
    Trained,
}

/// <summary>What a user creates: a name, categories, and over time examples, runs and versions.</summary>
public sealed class Model
{
    public const int MaxCategories = 1_000;

    public required Guid Id { get; init; }

    public required Guid AccountId { get; init; }

    public required string Name { get; set; }

    public required ModelKind Kind { get; init; }

    /// <summary>True for a model created without categories: an upload to an unknown category then makes it.</summary>
    public required bool CategoriesGrow { get; init; }

    public int? PublishedVersion { get; set; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>How many it has. A trigger of the database counts them, in the transaction of whoever adds or deletes some.</summary>
    public long Examples { get; init; }

    /// <summary>Bytes of the examples, counted likewise.</summary>
    public long ExampleBytes { get; init; }

    public List<Category> Categories { get; init; } = [];
}

public sealed class Category
{
    /// <summary>Characters: a sentence or two, which is more than image-text pairs read.</summary>
    public const int LongestDescription = 300;

    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    public required string Name { get; set; }

    /// <summary>What an image of it shows, in words: read where there is an image-text pair. null where nobody wrote it.</summary>
    public string? Description { get; set; }

    /// <summary>Categories are shown in the order in which they were given.</summary>
    public required int Position { get; set; }
}
