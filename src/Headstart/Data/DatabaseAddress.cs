namespace Headstart.Data;

/// <summary>Where the database is, and whether this host alone uses it (its own local PostgreSQL) or others may too.</summary>
public sealed record DatabaseAddress(string ConnectionString, bool IsOwn);
