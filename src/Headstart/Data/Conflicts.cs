using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Headstart.Data;

/// <summary>Why the database refused a row. The database decides, because two concurrent requests would both find no row yet.</summary>
internal static class Conflicts
{
    /// <summary>A row with the same key exists: a concurrent twin of this request was faster.</summary>
    public static bool IsDuplicate(this DbUpdateException e) =>
        e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    /// <summary>The row's parent has been deleted.</summary>
    public static bool IsOrphan(this DbUpdateException e) =>
        e.InnerException is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation };
}
