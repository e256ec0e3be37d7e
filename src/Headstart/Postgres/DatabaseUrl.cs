using System.Globalization;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>
/// Converts URLs as hosting companies give them, <c>postgres://user:password@host:5432/database?sslmode=require</c>, to Npgsql's format.
/// (<see href="https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS"/>)
/// </summary>
internal static class DatabaseUrl
{
    private static readonly string[] Schemes = ["postgres://", "postgresql://"];

    public static bool Is(string text) => Array.Exists(Schemes, scheme => text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));

    /// <exception cref="StartupException">The URL cannot be used; the message says why, without anything that may be part of the
    /// password.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        text = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var end = text.IndexOfAny(['/', '?']);
        var (authority, rest) = end < 0 ? (text, "") : (text[..end], text[end..]);
        var at = authority.LastIndexOf('@'); // the last one: host names have none, passwords may
        if (rest.Contains('@', StringComparison.Ordinal))
        {
            throw Refusal("the user name or password contains / or ?; write %2F for / and %3F for ?, and %40 for an @ after the host");
        }

        var question = rest.IndexOf('?', StringComparison.Ordinal);
        var (path, query) = question < 0 ? (rest, "") : (rest[..question], rest[(question + 1)..]);
        var parts = new UrlParts();
        if (at >= 0)
        {
            var user = authority[..at].Split(':', 2);
            (parts.To.Username, parts.To.Password) =
                (NullIfEmpty(Decoded(user[0], "user")), user.Length > 1 ? NullIfEmpty(Decoded(user[1], "password")) : null);
        }

        parts.AddHosts(authority[(at + 1)..]);
        parts.To.Database = NullIfEmpty(Decoded(path.TrimStart('/'), "database"));
        AddQuery(parts, query);
        return parts.Finish();
    }

    public static StartupException Refusal(string reason) => new($"ConnectionStrings:Headstart cannot be used: {reason}.");

    private static void AddQuery(UrlParts parts, string query)
    {
        var afterPassword = false;
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var both = pair.Split('=', 2);
            var name = Decoded(both[0], "name of a parameter").Trim().ToLowerInvariant();
            if (both.Length < 2 || !DatabaseParameters.Set(parts, name, Decoded(both[1], name)))
            {
                // A password with an unescaped & would end here.
                throw Refusal(afterPassword ? "the text after the password is not a parameter; write %26 for & in the password"
                    : both.Length < 2 ? $"the parameter '{Shown(name)}' has no value"
                        : $"the parameter '{Shown(name)}' is not supported; remove it");
            }

            afterPassword = name == "password";
        }
    }

    /// <summary>The text if it looks like a name; anything else may be a misplaced secret.</summary>
    public static string Shown(string name) => name.Length is > 0 and <= 40
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or ' ') ? name : "…";

    private static string Decoded(string text, string what)
    {
        for (var i = text.IndexOf('%', StringComparison.Ordinal); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out _))
            {
                throw Refusal($"its {Shown(what)} has a % that is not followed by two hexadecimal digits; write %25 for %");
            }
        }

        return Uri.UnescapeDataString(text);
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
