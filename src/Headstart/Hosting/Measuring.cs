using System.Diagnostics.Metrics;
using Headstart.Access;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Headstart.Hosting;

/// <summary>Exports the metrics and traces of <see cref="Telemetry"/>.</summary>
public static class Measuring
{
    private static readonly string[] Forwarded = ["X-Forwarded-For", "X-Original-For", "Forwarded"];

    private const string Collector = "OTEL_EXPORTER_OTLP_ENDPOINT"; // the standard variable; the exporter reads it and related ones itself

    public static IServiceCollection AddMeasuring(this IServiceCollection services, IConfiguration configuration)
    {
        var collector = !string.IsNullOrEmpty(configuration[Collector]);
        services.AddSingleton<Telemetry>();
        services.AddOpenTelemetry().WithMetrics(metrics =>
        {
            metrics.AddMeter(Telemetry.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
                .AddPrometheusExporter();
            // If a process has several hosts, each exports its own metrics and continues when another ends.
            metrics.ConfigureServices(more => more.ConfigureOpenTelemetryMeterProvider((host, builder) => builder.AddView(instrument =>
                instrument.Meter.Scope is IMeterFactory other && other != host.GetRequiredService<IMeterFactory>()
                    ? MetricStreamConfiguration.Drop : null)));
            if (collector)
            {
                metrics.AddOtlpExporter();
            }
        });
        if (collector)
        {
            // Without a collector no traces are recorded, so that they cost nothing.
            services.AddOpenTelemetry().WithTracing(traces => traces.AddSource(Telemetry.Name).AddAspNetCoreInstrumentation()
                .AddOtlpExporter());
        }

        return services;
    }

    public static void MapMetrics(this WebApplication app, Settings settings)
    {
        if (settings.Metrics == MetricsAccess.Nobody)
        {
            return;
        }

        var metrics = app.MapPrometheusScrapingEndpoint("/metrics");
        if (settings.Metrics == MetricsAccess.AdminKey)
        {
            metrics.RequireAuthorization(Scopes.Operator); // metrics cover all accounts
        }
        else
        {
            // A rule of the proxy for /metrics is easily missed: by /Metrics, or by the prefix that the proxy cuts off.
            metrics.AllowAnonymous().Add(endpoint => endpoint.Before(http => ValueTask.FromResult<IResult?>(
                Forwarded.Any(http.Request.Headers.ContainsKey) ? TypedResults.NotFound() : null)));
        }
    }
}
