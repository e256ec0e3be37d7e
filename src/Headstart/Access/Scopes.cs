using System.Security.Claims;
using Headstart.Data;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Access;

/// <summary>
/// Which scope a request needs. The default policy asks for every endpoint that takes a key: GET needs <see cref="Scope.Read"/>, every
/// other method <see cref="Scope.Write"/>, unless the endpoint declares what it <see cref="Needs"/>. An endpoint that declares nothing is
/// therefore never too open.
/// </summary>
public static class Scopes
{
    /// <summary>Not a scope of a key: an admin key of the installation's first account has it.</summary>
    public const string Operator = "operator";

    public static IReadOnlyList<Scope> All { get; } = Enum.GetValues<Scope>();

    /// <summary>The scopes of a key that is created without any.</summary>
    public static IReadOnlyList<Scope> Usual { get; } = [Scope.Read, Scope.Predict, Scope.Write];

    /// <summary>The policy of all endpoints.</summary>
    internal static AuthorizationPolicy Policy { get; } = new AuthorizationPolicyBuilder().RequireAuthenticatedUser()
        .AddRequirements(new ScopeRequirement()).Build();

    /// <summary>The scope's name in JSON, and the name of its policy and role.</summary>
    public static string Name(Scope scope) => scope.ToString().ToLowerInvariant();

    /// <summary>The endpoint needs this scope, whatever its method.</summary>
    public static TBuilder Needs<TBuilder>(this TBuilder endpoint, Scope scope)
        where TBuilder : IEndpointConventionBuilder => endpoint.RequireAuthorization(Name(scope));

    /// <summary>The role that a request needs: the name of a scope, or <see cref="Operator"/>.</summary>
    public static string NeededFor(HttpContext http) =>
        http.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>().LastOrDefault(data => data.Policy is not null)?.Policy
        ?? Name(HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method) ? Scope.Read : Scope.Write);

    /// <summary>Why a request with a valid key is refused.</summary>
    internal static ProblemHttpResult Refusal(HttpContext http)
    {
        var needed = NeededFor(http);
        var has = http.User.FindAll(ClaimTypes.Role).Select(role => role.Value).Where(role => role != Operator).ToArray();
        return Problems.Of(StatusCodes.Status403Forbidden, "forbidden", needed == Operator
            ? "This endpoint concerns the whole installation and needs an operator key: an admin key of the first account."
            : $"This endpoint needs a key with the scope {needed}; yours has {(has.Length == 0 ? "none" : string.Join(", ", has))}. "
                + "Create one with an admin key: POST /api/v1/keys.",
            ("scope", needed));
    }
}

/// <summary>Requires the scope that the endpoint needs.</summary>
internal sealed class ScopeRequirement : IAuthorizationRequirement;

/// <summary>Checks <see cref="ScopeRequirement"/>.</summary>
internal sealed class ScopeCheck : AuthorizationHandler<ScopeRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        // A page that renders again over its live connection has no request.
        if (context.User.IsInRole(context.Resource is HttpContext http ? Scopes.NeededFor(http) : Scopes.Name(Scope.Read)))
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }
}
