using System.Text;

namespace Headstart.Uploads.Texts;

/// <summary>Checks and normalises texts, for training and for predictions.</summary>
internal static class PlainText
{
    /// <summary>Trims the text and normalises line endings, so that the same text always has the same SHA-256.</summary>
    /// <param name="given">The text as sent.</param>
    /// <param name="maxBytes">Limit in bytes of UTF-8.</param>
    /// <param name="text">The text; empty if it is refused.</param>
    /// <returns>Why it is refused; null if it is valid.</returns>
    public static (string Reason, string Detail)? Read(string? given, int maxBytes, out string text)
    {
        text = "";
        if (given is null)
        {
            return ("no-text", "The text is missing; send an object such as {\"text\":\"…\"}.");
        }

        var trimmed = given.Trim().Trim('\uFEFF').ReplaceLineEndings("\n").Trim();
        if (trimmed.Length == 0)
        {
            return ("empty-text", "The text is empty.");
        }

        if (trimmed.Contains('\0', StringComparison.Ordinal) || !IsWellFormed(trimmed))
        {
            return ("invalid-characters", "The text contains invalid characters (U+0000, or half of a surrogate pair); is it a file of "
                + "another format?");
        }

        if (Encoding.UTF8.GetByteCount(trimmed) is var bytes && bytes > maxBytes)
        {
            return ("too-large", $"The text has {bytes:N0} bytes; at most {maxBytes:N0} are allowed (Headstart:Uploads:MaxTextBytes). "
                + "Send its most relevant part.");
        }

        text = trimmed;
        return null;
    }

    private static bool IsWellFormed(string text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var used) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            rest = rest[used..];
        }

        return true;
    }
}
