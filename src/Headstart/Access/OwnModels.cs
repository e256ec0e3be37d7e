using System.Security.Claims;
using Headstart.Data;

namespace Headstart.Access;

public static class OwnModels
{
    /// <summary>
    /// The models of the caller's account. Every query below a model starts here, so that no account sees another's data.
    /// </summary>
    public static IQueryable<Model> ModelsOf(this HeadstartDb db, ClaimsPrincipal caller)
    {
        var account = caller.AccountId();
        return db.Models.Where(m => m.AccountId == account);
    }
}
