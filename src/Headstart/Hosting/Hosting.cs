using Headstart.Access;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Web;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Headstart.Hosting;

/// <summary>Configuration, the request pipeline, and the start of a built host.</summary>
public static class Hosting
{
    private const int MaxJsonBytes = 1 << 20;

    private static readonly Dictionary<string, string?> Defaults = new()
    {
        ["urls"] = "http://localhost:8080",
        ["ReloadStaticAssetsAtRuntime"] = "false", // would treat every GET of an unknown path as a new file
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:Hangfire"] = "Warning",
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "Critical", // its errors are also thrown, or said as critical
        ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Critical", // callers log failures themselves
        ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
        // One line per refused key would let strangers fill the log.
        ["Logging:LogLevel:Headstart.Access.KeyAuthentication"] = "Warning",
        ["Logging:LogLevel:Grpc"] = "None", // clients' errors need no log; ExceptionProblems logs the rest
        ["Logging:LogLevel:Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware"] = "None", // ExceptionProblems logs what matters
    };

    /// <exception cref="StartupException">A setting cannot be used.</exception>
    public static Settings ReadSettings(this WebApplicationBuilder builder)
    {
        builder.Configuration.Sources.Insert(0,
            new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = Defaults });
        var section = builder.Configuration.GetSection("Headstart");
        Settings settings;
        try
        {
            settings = section.Get<Settings>() ?? new();
        }
        catch (InvalidOperationException e)
        {
            throw new StartupException($"A setting under Headstart: cannot be read: {e.Message}");
        }

        settings.Backbones.Directories = List("Backbones:Directories") ?? settings.Backbones.Directories;
        settings.Fetching.AllowedHosts = List("Fetching:AllowedHosts") ?? settings.Fetching.AllowedHosts;

        return settings.Problem() is { } problem ? throw new StartupException(problem) : settings;

        // A list may also be given as one string.
        string[]? List(string name) => section[name]?.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Reads where settings come from. Pages find their files also if the program was built but not published: some are in the
    /// package folder.</summary>
    /// <exception cref="StartupException">A file of settings or an argument cannot be read, or this account cannot read that
    /// folder.</exception>
    public static WebApplicationBuilder NewBuilder(string[] args)
    {
        try
        {
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions
            {
                Args = args,
                ContentRootPath = AppContext.BaseDirectory,
            });
            builder.WebHost.UseStaticWebAssets();
            return builder;
        }
        catch (Exception e) when (e is InvalidDataException or FormatException)
        {
            throw new StartupException($"The settings cannot be read. {e.Message} {e.InnerException?.Message}".TrimEnd(), e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                "This program was built, not published, and this account cannot read the packages it was built with "
                + $"({e.Message.TrimEnd('.')}); "
                + "start it as the account that built it, or publish it: dotnet publish src/Headstart -c Release -o FOLDER.", e);
        }
    }

    public static void AddOperations(this WebApplicationBuilder builder)
    {
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxJsonBytes; // uploads and predictions set their own
            kestrel.ApplicationServices.GetRequiredService<Settings>().Server.Apply(kestrel.Limits);
            kestrel.UseCleartextHttp2();
        });
        builder.Services.AddSingleton(TimeProvider.System).AddMeasuring(builder.Configuration);
        builder.Services.AddSingleton<Cores>().AddHostedService(static provider => provider.GetRequiredService<Cores>());
        builder.Services.AddExceptionHandler<ExceptionProblems>();
        builder.Services.ConfigureHttpJsonOptions(json => Json.ConfigureBodies(json.SerializerOptions));
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true); // so that ExceptionProblems answers
        builder.Services.AddPathPrefix().AddRateLimiter(_ => { }).AddCors().AddOpenApiDocument();
    }

    public static void UseOperations(this WebApplication app, Settings settings)
    {
        if (settings.AccessLog)
        {
            app.UseMiddleware<AccessLog>(); // first, so that it sees every response
        }

        app.UsePathPrefix(settings.Prefix);
        app.UseOwnApi();
        app.UseSafeHeaders();
        app.UseExceptionHandler(_ => { });
        app.UseStatusCodePages(static context => context.HttpContext.AnswerAsync(StatusProblem(context.HttpContext)));
        app.UseRouting();
        app.UsePageHeaders();
        if (settings.Origins() is { Length: > 0 } origins)
        {
            // Keys travel in a header that scripts set themselves, so no site gains anything by a user's being logged in somewhere.
            app.UseCors(cors => cors.WithOrigins(origins).AllowAnyHeader().AllowAnyMethod()
                .WithExposedHeaders("RateLimit", "RateLimit-Policy", "Retry-After"));
        }

        app.UseAddressLimit(settings);
        app.UseAuthentication();
        app.UseKeyLimit(settings);
        app.UseAuthorization();
        app.UseKnownEncodings();
        app.UseCompressedBodies();
        app.UseAntiforgery();
        app.UseAntiforgeryForCookies();
        var usage = app.Services.GetRequiredService<Usage>();
        app.Use((http, next) =>
        {
            if (http.User.Identity?.AuthenticationType == KeyAuthentication.SchemeName
                && !http.Items.ContainsKey(KeyAuthentication.HashItem))
            {
                usage.CountRequest(http.User);
            }

            return next(http);
        });
        app.UseMiddleware<QuotaMiddleware>().UseMiddleware<AuditTrail>();
    }

    /// <exception cref="StartupException">The database or the blob store cannot be used, or the database is newer than this
    /// program.</exception>
    public static async Task PrepareAsync(this WebApplication app, CancellationToken cancel)
    {
        await Schema.MigrateAsync(app.Services, cancel);
        await app.Services.GetRequiredService<BlobHealth>().WaitAsync(cancel);
        await app.Services.GetRequiredService<FirstKey>().AddConfiguredAsync(cancel);
        await Task.Run(app.Services.GetRequiredService<LoadedBackbones>().Open, cancel);
    }

    /// <summary>Runs until Ctrl-C or SIGTERM. The first key is made only now, when nothing can keep it from being shown.</summary>
    /// <param name="interrupted">Cancelled by Ctrl-C or SIGTERM during the start; afterwards the host handles them.</param>
    public static async Task RunAsync(this WebApplication app, CancellationToken interrupted)
    {
        try
        {
            await app.StartAsync(interrupted);
        }
        catch (Exception e) when (e is not OperationCanceledException
            && e.StackTrace?.Contains("Microsoft.AspNetCore.Server.Kestrel", StringComparison.Ordinal) == true)
        {
            await app.StopAsync(CancellationToken.None); // what runs already would otherwise complain
            throw new StartupException(e.InnerException is AddressInUseException
                ? $"{e.Message} Stop the program that uses it, or set ASPNETCORE_URLS to another URL."
                : $"Headstart cannot listen on {app.Configuration["urls"] ?? "the configured addresses"}: "
                    + $"{e.Message.Split('\n')[0].TrimEnd('.', '\r')}. Check ASPNETCORE_URLS, and Kestrel:Certificates for https.");
        }

        var key = await app.Services.GetRequiredService<FirstKey>().MakeAsync();
        var address = app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
            .Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";
        address += app.Services.GetRequiredService<Settings>().Prefix;
        // The console, not the log: logs are kept and shipped, and this is a secret.
        Console.WriteLine($"""

            Headstart is ready.
              Address   {address}
              Swagger   {address}/swagger
            """ + (key is null ? "" : $"""

              API key   {key}
                        Shown only once; keep it safe. It gives full access to this installation.
            """) + Environment.NewLine);
        await app.WaitForShutdownAsync(interrupted);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult StatusProblem(HttpContext context) =>
        context.Response.StatusCode switch
        {
            404 => Problems.Of(404, "not-found",
                $"There is no endpoint at this path; {context.Request.PathBase}/swagger lists the endpoints."),
            405 => Problems.Of(405, "method-not-allowed", $"This endpoint does not support this method; {context.Request.PathBase}/swagger "
                + "lists the methods."),
            408 => Problems.Of(408, "too-slow", "The request body arrived too slowly; send the request again."),
            413 => Problems.Of(413, "too-large", "The request body is larger than this endpoint accepts."),
            415 => Problems.Of(415, "unsupported-media-type", "This endpoint takes JSON; send Content-Type: application/json."),
            var status => Problems.Of(status, $"status-{status}", "The request could not be processed."),
        };
}
