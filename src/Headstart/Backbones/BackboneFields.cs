using System.Globalization;
using Headstart.Learning.Backbones;
using Headstart.Learning.Onnx;

namespace Headstart.Backbones;

/// <summary>Descriptions of users' own backbones as texts: fields of a form, options of a command.</summary>
public static class BackboneFields
{
    /// <summary>
    /// Names of the fields with an example where that is harmless: Swagger UI fills examples in, and these two equal the defaults.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Examples { get; } = new Dictionary<string, string>
    {
        ["id"] = "",
        ["family"] = "",
        ["size"] = "",
        ["mean"] = "0.485,0.456,0.406",
        ["std"] = "0.229,0.224,0.225",
        ["output"] = "",
        ["pooling"] = "",
        ["channels"] = "",
        ["space"] = "",
        ["licence"] = "",
        ["source"] = "",
    };

    /// <param name="field">Returns the text of a field; null or blank if it was not given.</param>
    /// <param name="fileName">The owner's name of the file.</param>
    /// <exception cref="BackboneException">A field has an invalid value.</exception>
    public static BackboneDescription Read(Func<string, string?> field, string fileName)
    {
        return new()
        {
            FileName = fileName,
            Id = Text("id"),
            Family = Text("family"),
            Size = Text("size") is { } size ? Side(size) : null,
            Mean = Text("mean") is { } mean ? Numbers("mean", mean) : null,
            Std = Text("std") is { } std ? Numbers("std", std) : null,
            Output = Text("output"),
            Pooling = Choice<Pooling>("pooling", Text("pooling")),
            Channels = Choice<ChannelOrder>("channels", Text("channels")),
            Space = Text("space"),
            Licence = Text("licence"),
            Source = Text("source"),
        };

        string? Text(string name) => string.IsNullOrWhiteSpace(field(name)) ? null : field(name)!.Trim();
    }

    /// <summary>The same description as options of a command.</summary>
    public static IEnumerable<string> Options(BackboneDescription given)
    {
        var texts = new Dictionary<string, string?>
        {
            ["id"] = given.Id,
            ["family"] = given.Family,
            ["size"] = given.Size?.ToString(CultureInfo.InvariantCulture),
            ["mean"] = given.Mean is null ? null : string.Join(',', given.Mean.Select(n => n.ToString(CultureInfo.InvariantCulture))),
            ["std"] = given.Std is null ? null : string.Join(',', given.Std.Select(n => n.ToString(CultureInfo.InvariantCulture))),
            ["output"] = given.Output,
            ["pooling"] = given.Pooling?.ToString().ToLowerInvariant(),
            ["channels"] = given.Channels?.ToString().ToLowerInvariant(),
            ["space"] = given.Space,
            ["licence"] = given.Licence,
            ["source"] = given.Source,
            ["name"] = given.FileName,
        };
        return texts.Where(t => t.Value is not null).Select(t => $"--{t.Key}={t.Value}");
    }

    private static T? Choice<T>(string name, string? text)
        where T : struct, Enum =>
        text is null ? null : Enum.GetValues<T>().Where(known => known.ToString().Equals(text, StringComparison.OrdinalIgnoreCase))
            .Cast<T?>().SingleOrDefault() ?? throw new BackboneException(
                $"'{name}' must be {string.Join(" or ", Enum.GetNames<T>().Select(known => known.ToLowerInvariant()))}.");

    private static int Side(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var side) ? side
        : throw new BackboneException("'size' must be a whole number of pixels, such as 224.");

    private static float[] Numbers(string name, string text)
    {
        var numbers = text.Split(',').Select(n => float.TryParse(n, NumberStyles.Float, CultureInfo.InvariantCulture, out var x) ? x
            : float.NaN).ToArray();
        return numbers.Length == 3 && numbers.All(float.IsFinite) && (name != "std" || numbers.All(n => n > 0)) ? numbers
            : throw new BackboneException($"'{name}' must be three {(name == "std" ? "positive " : "")}numbers separated by commas, such "
                + $"as {Examples[name]}.");
    }
}
