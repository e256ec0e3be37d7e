using Headstart.Learning;

namespace Headstart.Data;

public enum ModelKind
{
    ImageClassification,

    /// <summary>An image may show several of the categories, or none.</summary>
    MultiLabelImageClassification,

    /// <summary>Each text belongs to one of the categories. Texts without one are learned from too: they show how words are used.</summary>
    TextClassification,

    /// <summary>An image shows any number of objects, each with a category and a box.</summary>
    ObjectDetection,
}

public static class ModelKinds
{
    /// <summary>Whether an image may have several categories, or none.</summary>
    public static bool TakesSeveral(this ModelKind kind) => kind is ModelKind.MultiLabelImageClassification or ModelKind.ObjectDetection;

    /// <summary>Whether examples have boxes.</summary>
    public static bool HasBoxes(this ModelKind kind) => kind == ModelKind.ObjectDetection;

    /// <summary>Number of categories that a run needs: one is enough to find objects, telling categories apart takes two.</summary>
    public static int MinCategories(this ModelKind kind) => kind.HasBoxes() ? 1 : TrainingDefaults.MinCategories;

    /// <summary>Number of labelled examples that a run needs.</summary>
    public static int MinExamples(this ModelKind kind) => kind.HasBoxes() ? TrainingDefaults.MinImagesWithBoxes : kind.MinCategories();

    /// <summary>Whether its examples are texts.</summary>
    public static bool IsText(this ModelKind kind) => kind == ModelKind.TextClassification;

    /// <summary>Whether descriptions of categories help: image-text pairs can tell apart categories that exclude each other.</summary>
    public static bool ReadsWords(this ModelKind kind) => kind == ModelKind.ImageClassification;

    /// <summary>The word for an example in a sentence.</summary>
    public static string Noun(this ModelKind kind) => kind.IsText() ? "text" : "image";

    /// <summary>The plural of <see cref="Noun"/>.</summary>
    public static string Nouns(this ModelKind kind) => kind.IsText() ? "texts" : "images";
}

/// <summary>State of a model; derived from its contents, never stored.</summary>
public enum ModelState
{
    Empty,
    Collecting,
    Ready,
    Training,
    Trained,
}

/// <summary>A model: a name, categories, and over time examples, runs and versions.</summary>
public sealed class Model
{
    public const int MaxCategories = 1_000;

    public required Guid Id { get; init; }

    public required Guid AccountId { get; init; }

    public required string Name { get; set; }

    public required ModelKind Kind { get; init; }

    /// <summary>True for a model created without categories: an upload to an unknown category creates it.</summary>
    public required bool CategoriesGrow { get; init; }

    public int? PublishedVersion { get; set; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>Number of examples, updated by a database trigger in the transaction that adds or deletes them.</summary>
    public long Examples { get; init; }

    /// <summary>Bytes of the examples, updated likewise.</summary>
    public long ExampleBytes { get; init; }

    public List<Category> Categories { get; init; } = [];
}

public sealed class Category
{
    /// <summary>In characters: a sentence or two, more than image-text pairs read.</summary>
    public const int LongestDescription = 300;

    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    public required string Name { get; set; }

    /// <summary>What its images show, in words, for image-text pairs; null if not given.</summary>
    public string? Description { get; set; }

    /// <summary>Categories are shown in the order in which they were sent.</summary>
    public required int Position { get; set; }
}
