using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Headstart.Tests;

/// <summary>
/// Outlives its host. Hangfire keeps the logger factory of the last host that was started in a static field and uses it for every
/// host of the process; with an ordinary factory the end of one test class would stop the jobs of the others.
/// </summary>
internal sealed class LastingLoggerFactory(IEnumerable<ILoggerProvider> providers,
    IOptionsMonitor<LoggerFilterOptions> filters) : ILoggerFactory
{
    private readonly LoggerFactory _factory = new(providers, filters);

    public ILogger CreateLogger(string categoryName) => _factory.CreateLogger(categoryName);

    public void AddProvider(ILoggerProvider provider) => _factory.AddProvider(provider);

    public void Dispose()
    {
    }
}
