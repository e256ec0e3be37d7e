using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Versions;

public static class OwnVersions
{
    /// <returns>null if the caller has no such model, or the model no such version.</returns>
    public static async Task<(ModelVersion Version, Model Model)?> FindVersionAsync(
        this HeadstartDb db, ClaimsPrincipal caller, Guid id, int number, CancellationToken cancel)
    {
        var row = await db.ModelsOf(caller).Where(m => m.Id == id)
            .Join(db.Versions.Where(v => v.Number == number), m => m.Id, v => v.ModelId, (m, v) => new { Version = v, Model = m })
            .SingleOrDefaultAsync(cancel);
        return row is null ? null : (row.Version, row.Model);
    }
}
