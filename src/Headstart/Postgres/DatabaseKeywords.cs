using System.Data.Common;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>Parses Npgsql's format, <c>Host=…;Database=…;Username=…;Password=…</c>, and explains errors without the
/// password.</summary>
internal static class DatabaseKeywords
{
    private static readonly string[] Password = ["password", "psw", "pwd"];

    /// <exception cref="StartupException">The text cannot be used.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        var given = new DbConnectionStringBuilder();
        try
        {
            given.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            throw Neither();
        }

        var address = new NpgsqlConnectionStringBuilder();
        var before = "";
        foreach (string keyword in given.Keys) // in the order of the text
        {
            Set(address, keyword, given[keyword], Password.Contains(before));
            before = keyword;
        }

        // Npgsql would take libpq's keywords, separated by blanks, as the name of the host.
        return address.Host is { } host && host.AsSpan().IndexOfAny(' ', '=', '@') >= 0 ? throw Neither() : address;
    }

    private static void Set(NpgsqlConnectionStringBuilder address, string keyword, object value, bool afterPassword)
    {
        if (!address.ContainsKey(keyword))
        {
            // An unquoted password with a ; would end here.
            throw afterPassword ? DatabaseUrl.Refusal("the text after the password is not a keyword; if the password contains a "
                + "semicolon, put it in double quotes")
                : DatabaseUrl.Shown(keyword) != keyword ? Neither()
                : DatabaseUrl.Refusal($"the keyword '{keyword}' is not supported; remove it");
        }

        try
        {
            address[keyword] = value;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or OverflowException
            or NotSupportedException)
        {
            throw DatabaseUrl.Refusal($"'{keyword}' has an invalid value");
        }
    }

    private static StartupException Neither() => DatabaseUrl.Refusal("it is neither a URL such as "
        + "postgres://user:password@host:5432/database nor keywords such as "
        + "Host=host;Port=5432;Database=database;Username=user;Password=\"password\"");
}
