using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Headstart.Tests;

/// <summary>Hears what one class of a host logs.</summary>
internal sealed class LogListener(string category) : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = [];

    public static LogListener To<T>(TestHost host)
    {
        var listener = new LogListener(typeof(T).FullName!);
        host.Services.GetRequiredService<ILoggerFactory>().AddProvider(listener);
        return listener;
    }

    public async Task HearsAsync(string text)
    {
        for (var looks = 0; !Lines.Any(line => line.Contains(text, StringComparison.Ordinal)); looks++)
        {
            Assert.True(looks < 1_200, $"{category} does not log '{text}', but: {string.Join('\n', Lines)}");
            await Task.Delay(50, Api.Cancel);
        }
    }

    public ILogger CreateLogger(string categoryName) => categoryName == category ? this : NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => Lines.Enqueue($"{formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
