using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Headstart.NanoNets;

/// <summary>A category and how many images it has.</summary>
public sealed record NanoCategory(string Name, int Count);

/// <param name="ModelId">Id of the model, the same as in <c>/api/v1</c>.</param>
/// <param name="ModelType"><c>classification</c>, <c>multilabelclassification</c> or <c>localization</c>, which finds objects.</param>
/// <param name="State">See <see cref="NanoState"/>; a number, as clients compare it with 5.</param>
/// <param name="Status">The state in words.</param>
/// <param name="Message">After an upload: <c>Success</c>, or that only some of the files were taken.</param>
/// <param name="Result">After an upload: the result for each file.</param>
public sealed record NanoModel(
    string ModelId, string ModelType, int State, string Status, IReadOnlyList<NanoCategory> Categories, string? Message = null,
    IReadOnlyList<NanoFile>? Result = null);

/// <summary>A file of an upload.</summary>
/// <param name="Message"><c>Success</c>, or what is wrong with it.</param>
/// <param name="File">Its name or URL.</param>
public sealed record NanoFile(string Message, string File);

/// <param name="Probability">Null for an object, which has a score.</param>
/// <param name="Xmin">For an object, in pixels of the upright image, like the other sides.</param>
/// <param name="Score">The probability of an object.</param>
public sealed record NanoLabel(string Label, double? Probability, int? Xmin = null, int? Ymin = null, int? Xmax = null, int? Ymax = null,
    double? Score = null);

/// <summary>A prediction for one file.</summary>
/// <param name="Message"><c>Success</c>, or why it could not be read.</param>
/// <param name="Prediction">All labels, or the objects that were found, by descending probability; empty if the file could not be
/// read.</param>
/// <param name="File">Its name or URL; the field that most clients read.</param>
/// <param name="Input">The same, for clients that read this field.</param>
public sealed record NanoPrediction(string Message, IReadOnlyList<NanoLabel> Prediction, string File, string Input);

public sealed record NanoPredictions(string Message, string ModelId, IReadOnlyList<NanoPrediction> Result);

/// <summary>An image and its categories.</summary>
/// <param name="Objects">In a model that finds objects, where they are; null if they have not been labelled.</param>
public sealed record NanoAnnotation(string Filename, IReadOnlyList<string> Categories,
    [property: JsonPropertyName("object")] IReadOnlyList<NanoObject>? Objects = null);

/// <param name="Name">Its category.</param>
public sealed record NanoObject(string Name, NanoBox Bndbox);

/// <summary>In pixels of the upright image.</summary>
public sealed record NanoBox(int Xmin, int Ymin, int Xmax, int Ymax);

public sealed record NanoAnnotations([property: JsonPropertyName("Data")] IReadOnlyList<NanoAnnotation> Data,
    [property: JsonPropertyName("Meta")] NanoMeta Meta);

public sealed record NanoMeta(IReadOnlyList<NanoCategory> Categories, int State, string Status);

/// <param name="Message">The status in words.</param>
/// <param name="Code">The status.</param>
public sealed record NanoError(string Message, int Code, IReadOnlyList<NanoReason> Errors);

/// <param name="Reason">What is wrong, in a short, stable phrase.</param>
/// <param name="Message">What to do.</param>
public sealed record NanoReason(string Reason, string Message);

internal static class NanoJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for people in terminals; it is never part of an HTML page
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };
}
