using Headstart.Postgres;

namespace Headstart.Data;

/// <summary>
/// <c>migrate</c>: migrates the database in <c>ConnectionStrings:Headstart</c> to this program's schema and ends. Every host does so at its
/// start; a separate step shows that it works before the first new host starts.
/// </summary>
public static class MigrateCommand
{
    public static bool Asked(string[] args) => args is ["migrate", ..];

    /// <returns>The exit code.</returns>
    /// <exception cref="StartupException">No database is named, it cannot be used (<see cref="DatabaseConnector"/>), or a newer Headstart
    /// made it.</exception>
    public static async Task<int> RunAsync(IConfiguration configuration, CancellationToken cancel)
    {
        var text = configuration.GetConnectionString("Headstart");
        if (string.IsNullOrWhiteSpace(text))
        {
            throw new StartupException("migrate needs a database in ConnectionStrings:Headstart; a database in the data folder is "
                + "migrated when the host starts.");
        }

        using var logs = HostResources.StartLogs(configuration);
        var address = await DatabaseConnector.ReachAsync(text, logs.CreateLogger(typeof(DatabaseConnector)), cancel);
        await using var services = new ServiceCollection().AddSingleton(TimeProvider.System).AddSingleton(address)
            .AddSingleton<ILoggerFactory>(logs).AddDatabase().BuildServiceProvider();
        await Schema.MigrateAsync(services, cancel);
        Console.WriteLine("The database is up to date.");
        return 0;
    }
}
