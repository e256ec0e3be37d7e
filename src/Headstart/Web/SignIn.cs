using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.Web;

/// <summary>
/// Signing in with an API key, which gives a cookie. The cookie holds the key's hash, encrypted with this installation's data protection keys,
/// and is good as long as the key is. Scripts of other sites cannot use it: whatever changes something needs an antiforgery token, too.
/// </summary>
internal static class SignIn
{
    public const string Scheme = "Cookie";
    public const string Path = "/signin";
    public const string TokenHeader = "X-Headstart-Antiforgery";
    private const string Cookie = "headstart";

    /// <summary>On the endpoints that are pages.</summary>
    public sealed record PageEndpoint;

    public static AuthenticationBuilder AddSignIn(this AuthenticationBuilder authentication) => authentication.AddCookie(Scheme, options =>
    {
        options.Cookie.Name = Cookie;
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Lax;
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = TimeSpan.FromDays(14);
        options.LoginPath = Path;
        options.ReturnUrlParameter = "to";
        options.Events.OnValidatePrincipal = async context =>
        {
            if (await FindAsync(context.HttpContext.RequestServices.GetRequiredService<KnownKeys>(), context.Principal!, context.HttpContext.RequestAborted) is { } key)
            {
                context.ReplacePrincipal(new(Caller.Identity(key, HashOf(context.Principal!)!, Scheme))); // what the key may do now, not when it signed in
            }
            else
            {
                context.RejectPrincipal();
                await context.HttpContext.SignOutAsync(Scheme);
            }
        };
        options.Events.OnRedirectToLogin = context => IsPage(context.HttpContext) ? Redirect(context) : context.HttpContext.AnswerAsync(Problems.Of(
            StatusCodes.Status401Unauthorized, "unauthorized", "You are not signed in any more, or your key was revoked or has expired; sign in again."));
        options.Events.OnRedirectToAccessDenied = context => context.HttpContext.AnswerAsync(Scopes.Refusal(context.HttpContext));
    });

    /// <summary>Whether the cookie says who is asking, and not a key in a header.</summary>
    public static bool Chosen(HttpContext http) => IsPage(http)
        || (http.Request.Headers.Authorization.Count == 0 && http.Request.Cookies.ContainsKey(Cookie)
            && (http.Request.Path.StartsWithSegments("/api/v1") || http.Request.Path.StartsWithSegments("/session"))); // tokens are a person's: the same one must be seen

    public static void MapSignIn(this WebApplication app)
    {
        app.MapPost("/session", InAsync).AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/session/end", OutAsync).AllowAnonymous().ExcludeFromDescription();
    }

    /// <summary>Cookies come by themselves, so requests that have only a cookie must show that a page of ours made them.</summary>
    public static IApplicationBuilder UseAntiforgeryForCookies(this IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        var safe = HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method) || HttpMethods.IsOptions(http.Request.Method);
        if (!safe && !IsPage(http) && http.User.Identity?.AuthenticationType == Scheme
            && !await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http))
        {
            await http.AnswerAsync(Problems.Of(StatusCodes.Status400BadRequest, "antiforgery",
                $"A request with the cookie alone needs the page's token in {TokenHeader}; scripts send Authorization: Bearer KEY instead. In the page, load it again."));
            return;
        }

        await next(http);
    });

    public static Task<KnownKey?> FindAsync(KnownKeys keys, ClaimsPrincipal person, CancellationToken cancel) =>
        HashOf(person) is { } hash ? keys.FindAsync(hash, cancel) : Task.FromResult<KnownKey?>(null);

    private static byte[]? HashOf(ClaimsPrincipal person) => person.FindFirstValue(Caller.KeyHashClaim) is { } hash ? Convert.FromHexString(hash) : null;

    private static bool IsPage(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<PageEndpoint>() is not null;

    private static Task Redirect(RedirectContext<CookieAuthenticationOptions> context)
    {
        // Whatever host and scheme the browser knows us by. Where to go back to is without the prefix, so that it leads to no other site of this host name.
        var request = context.Request;
        context.Response.Redirect($"{request.PathBase}{Path}{QueryString.Create(context.Options.ReturnUrlParameter, $"{request.Path}{request.QueryString}")}");
        return Task.CompletedTask;
    }

    private static async Task<IResult> InAsync(HttpContext http, KnownKeys keys, KeyGuesses guesses, [FromForm] string? key, [FromForm] string? to, CancellationToken cancel)
    {
        if (guesses.Wait(http) is not null)
        {
            return Back("often", to);
        }

        var hash = Secrets.Hash(key?.Trim() ?? "");
        if (await keys.FindAsync(hash, cancel) is not { } known)
        {
            guesses.Count(http, hash);
            return Back("true", to);
        }

        if (!known.Scopes.Contains(Scope.Read))
        {
            return Back("scope", to);
        }

        var identity = Caller.Identity(known, hash, Scheme);
        await http.SignInAsync(Scheme, new(identity), new AuthenticationProperties { IsPersistent = true });
        return TypedResults.LocalRedirect("~" + Local(to));
    }

    /// <param name="why">As <c>SignInPage</c> tells it.</param>
    /// <param name="to">Where to go once it works.</param>
    private static Microsoft.AspNetCore.Http.HttpResults.RedirectHttpResult Back(string why, string? to) => TypedResults.LocalRedirect($"~{Path}?failed={why}&to={Uri.EscapeDataString(Local(to))}");

    private static async Task<IResult> OutAsync(HttpContext http, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(http))
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "antiforgery", "Signing out needs the page's token; load the page again.");
        }

        await http.SignOutAsync(Scheme);
        return TypedResults.LocalRedirect("~" + Path);
    }

    /// <summary>A path of ours, whatever was asked for: signing in must not lead to another site.</summary>
    private static string Local(string? to) => to is ['/', not ('/' or '\\'), ..] && !to.Any(char.IsControl) ? to : "/";
}

/// <summary>Ends what an open page may do when its key is revoked.</summary>
internal sealed class SignedIn(ILoggerFactory logs, KnownKeys keys) : RevalidatingServerAuthenticationStateProvider(logs)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(10);

    protected override async Task<bool> ValidateAuthenticationStateAsync(
        Microsoft.AspNetCore.Components.Authorization.AuthenticationState state, CancellationToken cancel) =>
        await SignIn.FindAsync(keys, state.User, cancel) is not null;
}
