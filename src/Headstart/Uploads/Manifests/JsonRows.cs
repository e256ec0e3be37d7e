using System.Runtime.CompilerServices;
using System.Text.Json;
using Headstart.Uploads.Files;
using Headstart.Uploads.Formats;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Manifests;

/// <summary>Reads the images of <c>{"images":[…]}</c> one at a time, so memory holds one image however long the list is.</summary>
internal sealed class JsonRows
{
    // If a row has two categories, nobody knows which is meant.
    private static readonly JsonSerializerOptions Strict = new(Json.Options) { AllowDuplicateProperties = false };

    private JsonReaderState _state;
    private Place _place;
    private bool _listed;

    private enum Place
    {
        Start,
        Object,
        Value, // the value of an ignored property
        Images,
        List,
        End,
    }

    /// <param name="body">Read from its current position.</param>
    /// <param name="maxRowBytes">Limit for one image, in bytes of JSON.</param>
    /// <exception cref="RefusedException">An image is larger, or there is no list.</exception>
    /// <exception cref="BadHttpRequestException">The body is not JSON.</exception>
    public static async IAsyncEnumerable<ManifestRow> ReadAsync(Stream body, int maxRowBytes,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var (window, rows) = (new StreamWindow(body), new JsonRows());
        while (rows._place != Place.End)
        {
            if (rows.Next(window.Bytes, window.Ended, out var passed) is { } row)
            {
                window.Pass(passed);
                yield return row;
                continue;
            }

            window.Pass(passed);
            if (window.Length > maxRowBytes)
            {
                throw RefusedException.TooLarge("too-large", $"One of the images takes more than {maxRowBytes:N0} bytes in the JSON; "
                    + "send a smaller version, or raise Headstart:Uploads:MaxFileBytes.");
            }

            if (rows._place != Place.End)
            {
                await window.ReadOnAsync(cancel);
            }
        }

        if (!rows._listed)
        {
            throw NoList();
        }
    }

    /// <summary>Parses a row given as a JSON value.</summary>
    public static ManifestRow Parse(ReadOnlySpan<byte> value, string where)
    {
        try
        {
            if (JsonSerializer.Deserialize<NewImage>(value, Strict) is not { } image)
            {
                return Broken("null");
            }

            var fields = new List<string>();
            image = OtherWords.Complete(image, value, fields, out var refused);
            return FieldTypos.In(where, fields) is { } typo ? ManifestRow.Not("unknown-field", typo)
                : refused ? new(image, LabelWords.RefusedReason, LabelWords.Refused) : new(image);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Broken((e as JsonException)?.Path is { Length: > 1 } path ? $"look at {path}"
                : "it is not an object, or not valid JSON");
        }

        ManifestRow Broken(string why) => ManifestRow.Not("invalid-row",
            $$"""{{where}} is not valid ({{why}}); send an object such as {"url":"https://…","category":"cats"}.""");
    }

    /// <summary>The next row; null at the end of the buffered bytes.</summary>
    private ManifestRow? Next(ReadOnlySpan<byte> bytes, bool ended, out int passed)
    {
        passed = 0;
        try
        {
            var reader = new Utf8JsonReader(bytes, ended, _state);
            while (_place != Place.End && Take(ref reader, bytes, out var row))
            {
                (_state, passed) = (reader.CurrentState, (int)reader.BytesConsumed);
                if (row is not null)
                {
                    return row;
                }
            }

            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // a property name with half of a surrogate pair
        {
            throw new BadHttpRequestException("The body is not the JSON that this endpoint expects.", e);
        }
    }

    /// <summary>Consumes a token, or a whole value; false if it is not fully buffered yet.</summary>
    private bool Take(ref Utf8JsonReader reader, ReadOnlySpan<byte> bytes, out ManifestRow? row)
    {
        row = null;
        if (_place == Place.Value ? !reader.TrySkip() : !reader.Read())
        {
            return false;
        }

        if (_place == Place.List && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            if (!reader.TrySkip())
            {
                return false;
            }

            row = Parse(bytes[start..(int)reader.BytesConsumed], "The image");
            return true;
        }

        _place = (_place, reader.TokenType) switch
        {
            (Place.Start, JsonTokenType.StartObject) or (Place.List or Place.Value, _) => Place.Object,
            (Place.Object, JsonTokenType.EndObject) => Place.End,
            (Place.Object, _) => reader.ValueTextEquals("images") ? Place.Images : Place.Value,
            (Place.Images, JsonTokenType.StartArray) => Place.List,
            _ => throw NoList(),
        };
        _listed |= _place == Place.List;
        return true;
    }

    private static RefusedException NoList() => RefusedException.Invalid("no-files",
        """The JSON must be an object with a list of images, such as {"images":[{"url":"https://…","category":"cats"}]}.""");
}
