using System.Text;
using System.Text.Json;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Reads a row whose file and category have other tools' names, such as <c>file_name</c> and <c>label</c>; the label may be a
/// number.</summary>
internal static class OtherWords
{
    /// <param name="image">The row read by our own names.</param>
    /// <param name="row">The JSON object of the row.</param>
    /// <param name="fields">Receives the names of its fields.</param>
    /// <param name="refused">Whether the annotator rejected the row.</param>
    public static NewImage Complete(NewImage image, ReadOnlySpan<byte> row, List<string> fields, out bool refused)
    {
        refused = false;
        var reader = new Utf8JsonReader(row);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan.Length > 50 ? "" : reader.GetString()!;
            fields.Add(name);
            reader.Read();
            if (image is { Category: null, Categories: null } && LabelWords.IsLabel(name))
            {
                image = image with { Categories = Labels(ref reader) };
            }
            else if (image is { File: null, Url: null, Base64: null } && reader.TokenType == JsonTokenType.String
                && name.Length > 0 && LabelWords.IsImage(name) && !name.Equals("id", StringComparison.OrdinalIgnoreCase))
            {
                image = Named(image, reader.GetString()!);
            }

            refused |= reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= 10
                && LabelWords.IsRefusal(name, reader.GetString()!);
            reader.Skip();
        }

        return image;
    }

    private static NewImage Named(NewImage image, string name) =>
        name.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || name.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
            ? image with { Url = name }
        : name.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? image with { Base64 = name }
        : image with { File = name };

    /// <summary>null if it is not a label.</summary>
    private static List<string?>? Labels(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return Text(ref reader) is { } one ? [one] : null;
        }

        var labels = new List<string?>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (Text(ref reader) is not { } label)
            {
                throw new JsonException();
            }

            labels.Add(label);
        }

        return labels;
    }

    private static string? Text(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString(),
        JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        _ => null,
    };
}
