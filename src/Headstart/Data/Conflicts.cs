using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Headstart.Data;

/// <summary>Why the database did not take a row. It decides, as two requests at once would both see that there is none yet.</summary>
internal static class Conflicts
{
    /// <summary>A row with the same key is there: a twin of this request was a moment faster.</summary>
    public static bool IsDuplicate(this DbUpdateException e) =>
        e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    /// <summary>What the row belongs to has been deleted.</summary>
    public static bool IsOrphan(this DbUpdateException e) =>
        e.InnerException is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation };
}
