namespace Headstart.Configuration;

/// <summary>Section <c>Headstart:Postgres</c>: the PostgreSQL that the host starts itself when no connection string is set.</summary>
public sealed class LocalPostgresOptions
{
    /// <summary>The folder with <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c>; null to search the usual places.</summary>
    public string? BinariesDirectory { get; set; }

    /// <summary>Whether to download PostgreSQL, once, if it is not found.</summary>
    public bool Download { get; set; } = true;

    /// <summary>A mirror of the Maven repository to download from; null for Maven Central.</summary>
    public Uri? DownloadFrom { get; set; }

    /// <summary>False only in tests: a power failure may then destroy the database.</summary>
    public bool Fsync { get; set; } = true;
}
