using System.Text;

namespace Headstart.Uploads;

/// <summary>What is a text that can be learned from and answered.</summary>
internal static class PlainText
{
    /// <summary>Trimmed and with lines that end as everywhere: the same text gets the same SHA-256 whatever it was written with.</summary>
    /// <param name="given">As it was sent.</param>
    /// <param name="maxBytes">Of UTF-8 that it may have.</param>
    /// <param name="text">The text; empty where it is refused.</param>
    /// <returns>Why it is refused; null for a good one.</returns>
    public static (string Reason, string Detail)? Read(string? given, int maxBytes, out string text)
    {
        text = "";
        if (given is null)
        {
            return ("no-text", "There is no text here, such as {\"text\":\"…\"}.");
        }

        var trimmed = given.Trim().Trim('\uFEFF').ReplaceLineEndings("\n").Trim();
        if (trimmed.Length == 0)
        {
            return ("empty-text", "The text is empty.");
        }

        if (trimmed.Contains('\0', StringComparison.Ordinal) || !IsWellFormed(trimmed))
        {
            return ("invalid-characters", "The text has characters that are no text (U+0000, or half of a surrogate pair); is it a file of another kind?");
        }

        if (Encoding.UTF8.GetByteCount(trimmed) is var bytes && bytes > maxBytes)
        {
            return ("too-large", $"The text has {bytes:N0} bytes and may have {maxBytes:N0} (Headstart:Uploads:MaxTextBytes); send the part that says what it is about.");
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
