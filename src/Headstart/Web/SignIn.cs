using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.Web;

/// <summary>
/// Signs people in with an API key and sets a cookie. The cookie contains the key's hash, encrypted with this installation's data
/// protection keys, and is valid as long as the key is. Other sites cannot misuse it: every request that changes something also needs an
/// antiforgery token.
/// </summary>
internal static class SignIn
{
    public const string Scheme = "Cookie";
    public const string Path = "/signin";
    public const string TokenHeader = "X-Headstart-Antiforgery";
    private const string Cookie = "headstart";

    /// <summary>Endpoint metadata that marks pages.</summary>
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
            if (await FindAsync(context.HttpContext.RequestServices.GetRequiredService<KnownKeys>(), context.Principal!,
                context.HttpContext.RequestAborted) is { } key)
            {
                // the current scopes, not those at sign-in
                context.ReplacePrincipal(new(Caller.Identity(key, HashOf(context.Principal!)!, Scheme)));
            }
            else
            {
                context.RejectPrincipal();
                await context.HttpContext.SignOutAsync(Scheme);
            }
        };
        options.Events.OnRedirectToLogin = context => IsPage(context.HttpContext) ? Redirect(context)
            : context.HttpContext.AnswerAsync(Problems.Of(
            StatusCodes.Status401Unauthorized, "unauthorized",
            "Your session has ended, or your API key was revoked or has expired. Sign in again."));
        options.Events.OnRedirectToAccessDenied = context => context.HttpContext.AnswerAsync(Scopes.Refusal(context.HttpContext));
    });

    /// <summary>Whether the cookie authenticates this request, rather than a key in a header.</summary>
    public static bool Chosen(HttpContext http) => IsPage(http)
        || (http.Request.Headers.Authorization.Count == 0 && http.Request.Cookies.ContainsKey(Cookie)
            // antiforgery tokens are bound to the cookie's user
            && (http.Request.Path.StartsWithSegments("/api/v1") || http.Request.Path.StartsWithSegments("/session")));

    public static void MapSignIn(this WebApplication app)
    {
        app.MapPost("/session", InAsync).AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/session/end", OutAsync).AllowAnonymous().ExcludeFromDescription();
    }

    /// <summary>Browsers send cookies with every request, so a request authenticated by cookie must prove that it comes from one of our
    /// pages.</summary>
    public static IApplicationBuilder UseAntiforgeryForCookies(this IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        var safe = HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method)
            || HttpMethods.IsOptions(http.Request.Method);
        if (!safe && !IsPage(http) && http.User.Identity?.AuthenticationType == Scheme
            && !await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http))
        {
            await http.AnswerAsync(Problems.Of(StatusCodes.Status400BadRequest, "antiforgery",
                $"Requests signed in by cookie need the page's antiforgery token in {TokenHeader}. In a browser, reload the page. In a "
                    + "script, send Authorization: Bearer KEY instead."));
            return;
        }

        await next(http);
    });

    public static Task<KnownKey?> FindAsync(KnownKeys keys, ClaimsPrincipal person, CancellationToken cancel) =>
        HashOf(person) is { } hash ? keys.FindAsync(hash, cancel) : Task.FromResult<KnownKey?>(null);

    private static byte[]? HashOf(ClaimsPrincipal person) =>
        person.FindFirstValue(Caller.KeyHashClaim) is { } hash ? Convert.FromHexString(hash) : null;

    private static bool IsPage(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<PageEndpoint>() is not null;

    private static Task Redirect(RedirectContext<CookieAuthenticationOptions> context)
    {
        // Relative, so it works for any host name and scheme. The return path omits the prefix, so it cannot lead to another site on this
        // host name.
        var request = context.Request;
        context.Response.Redirect(
            $"{request.PathBase}{Path}{QueryString.Create(context.Options.ReturnUrlParameter, $"{request.Path}{request.QueryString}")}");
        return Task.CompletedTask;
    }

    private static async Task<IResult> InAsync(HttpContext http, KnownKeys keys, KeyGuesses guesses, [FromForm] string? key,
        [FromForm] string? to, CancellationToken cancel)
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

    /// <param name="why">The reason that <c>SignInPage</c> turns into a message.</param>
    /// <param name="to">Where to go after signing in.</param>
    private static Microsoft.AspNetCore.Http.HttpResults.RedirectHttpResult Back(string why, string? to) =>
        TypedResults.LocalRedirect($"~{Path}?failed={why}&to={Uri.EscapeDataString(Local(to))}");

    private static async Task<IResult> OutAsync(HttpContext http, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(http))
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "antiforgery",
                "The antiforgery token is missing or invalid. Reload the page, then sign out again.");
        }

        await http.SignOutAsync(Scheme);
        return TypedResults.LocalRedirect("~" + Path);
    }

    /// <summary>Only local paths: signing in must not redirect to another site.</summary>
    private static string Local(string? to) => to is ['/', not ('/' or '\\'), ..] && !to.Any(char.IsControl) ? to : "/";
}

/// <summary>Signs open pages out when their key is revoked.</summary>
internal sealed class SignedIn(ILoggerFactory logs, KnownKeys keys) : RevalidatingServerAuthenticationStateProvider(logs)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(10);

    protected override async Task<bool> ValidateAuthenticationStateAsync(
        Microsoft.AspNetCore.Components.Authorization.AuthenticationState state, CancellationToken cancel) =>
        await SignIn.FindAsync(keys, state.User, cancel) is not null;
}
