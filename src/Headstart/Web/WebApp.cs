using Headstart.Access;
using Headstart.Data;
using Microsoft.AspNetCore.Components.Authorization;
using MudBlazor.Services;

namespace Headstart.Web;

/// <summary>The pages: Blazor on the server, with the API behind them.</summary>
public static class WebApp
{
    // MudBlazor writes style attributes and its theme as a style element, so styles cannot be limited to files. Scripts are.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
        + "media-src blob:; connect-src 'self'; "
        + "font-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    // A browser sends a whole field at once: half a million characters in the largest dialog, of up to three bytes each. With the usual
    // 32 KB, pasting a long text would end the connection.
    private const long MaxMessageBytes = 2 << 20;

    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddRazorComponents().AddInteractiveServerComponents()
            .AddHubOptions(hub => hub.MaximumReceiveMessageSize = MaxMessageBytes);
        services.AddMudServices(mud => mud.SnackbarConfiguration.PositionClass = MudBlazor.Defaults.Classes.Position.BottomCenter);
        services.AddCascadingAuthenticationState();
        services.AddAntiforgery(antiforgery =>
        {
            antiforgery.HeaderName = SignIn.TokenHeader;
            antiforgery.Cookie.Name = "headstart-antiforgery";
            antiforgery.SuppressXFrameOptionsHeader = true; // frame-ancestors in the policy does this
        });
        services.AddScoped<AuthenticationStateProvider, SignedIn>();
        return services.AddSingleton<Pipeline>().AddSingleton<OwnApi>().AddScoped<ApiCalls>();
    }

    /// <summary>Requests from the pages enter the pipeline here, like requests from the network. Call before routing.</summary>
    public static void UseOwnApi(this WebApplication app) => app.Use(next => app.Services.GetRequiredService<Pipeline>().Run = next);

    /// <summary>Adds the Content-Security-Policy to pages. Call after routing.</summary>
    public static void UsePageHeaders(this WebApplication app) => app.Use(static (http, next) =>
        {
            if (http.GetEndpoint()?.Metadata.GetMetadata<SignIn.PageEndpoint>() is not null)
            {
                http.Response.Headers.ContentSecurityPolicy = Policy;
                http.Response.Headers["Referrer-Policy"] = "same-origin";
            }

            return next(http);
        });

    public static void MapPages(this WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        app.MapSignIn();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(server => server.ContentSecurityFrameAncestorsPolicy = null)
            .WithMetadata(new SignIn.PageEndpoint()).Needs(Scope.Read); // for every method: the circuit uses POST
    }
}
