using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Headstart.Backups;
using Headstart.Configuration;
using Headstart.Data;
using Headstart.Disk;
using Headstart.Errors;
using Headstart.Hosting;
using Headstart.Postgres;
using Headstart.Tests.Processes;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Headstart.Tests.Postgres;

/// <summary>What is wrong with a database ends every start in the same way, so <c>migrate</c> stands for all here; two starts are those of
/// the program.</summary>
public sealed class DatabaseRefusalTests(TestPostgres postgres,
    DatabaseRefusalTests.SecondServer second) : IClassFixture<DatabaseRefusalTests.SecondServer>
{
    private const string Secret = "p@ss word;x";

    [Theory]
    [InlineData("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", "LATIN1", "ENCODING 'UTF8'", "CREATE DATABASE")]
    [InlineData("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", "SQL_ASCII", "ENCODING 'UTF8'", "CREATE DATABASE")]
    public async Task Another_encoding_is_refused_before_anything_is_made(string how, params string[] named)
    {
        var database = await MakeAsync(how);

        await RefusedAsync(database, named);

        Assert.Equal(0L, await OwnPostgres.ExecuteAsync(AsSuperuser(database), "SELECT count(*) FROM pg_tables WHERE schemaname IN "
            + "('public', 'hangfire')"));
    }

    [Fact]
    public async Task Rights_that_are_missing_are_named_all_at_once_and_suffice()
    {
        var database = await MakeAsync("");
        var (user, name) = (database.Username, database.Database);
        await OwnPostgres.ExecuteAsync(AsSuperuser(database),
            $"ALTER DATABASE {name} OWNER TO CURRENT_USER; REVOKE CREATE ON SCHEMA public FROM PUBLIC");

        await RefusedAsync(database, $"GRANT CREATE, USAGE ON SCHEMA public TO {user};", $"GRANT CREATE ON DATABASE {name} TO {user};");

        await OwnPostgres.ExecuteAsync(AsSuperuser(database),
            $"GRANT CREATE, USAGE ON SCHEMA public TO {user}; GRANT CREATE ON DATABASE {name} TO {user}");
        Assert.Equal(0, await MigrateAsync(database.ConnectionString));

        // What is there needs no right to make it.
        await OwnPostgres.ExecuteAsync(AsSuperuser(database),
            $"REVOKE CREATE ON SCHEMA public FROM {user}; REVOKE CREATE ON DATABASE {name} FROM {user}");
        Assert.Equal(0, await MigrateAsync(database.ConnectionString));
    }

    [Fact]
    public async Task Tables_of_another_user_are_refused()
    {
        var database = await MakeAsync("");
        var theirs = new NpgsqlConnectionStringBuilder(AsSuperuser(database));
        Assert.Equal(0, await MigrateAsync(theirs.ConnectionString));

        await RefusedAsync(database, "lacks a privilege", "permission denied");
    }

    [Fact]
    public async Task A_search_path_without_a_schema_is_refused()
    {
        var database = await MakeAsync("");
        database.SearchPath = "nowhere";

        await RefusedAsync(database, "search path", "CREATE SCHEMA");
    }

    [Fact]
    public async Task A_wrong_password_an_unknown_user_and_an_unknown_database_are_refused_at_once()
    {
        var database = await MakeAsync("");
        await RefusedAsync(new(database.ConnectionString) { Password = Secret + "no" }, "password authentication failed");
        await RefusedAsync(new(database.ConnectionString) { Password = null }, "requires a password");
        await RefusedAsync(new(database.ConnectionString) { Username = "nobody_here" }, "nobody_here");
        await RefusedAsync(new(database.ConnectionString)
        {
            Host = $"127.0.0.1:{database.Port},localhost:{database.Port}",
            Password = Secret + "no"
        }, "password authentication failed");
        await RefusedAsync(new(database.ConnectionString) { Database = "nowhere" }, "nowhere", "CREATE DATABASE");
        await RefusedAsync(new(database.ConnectionString) { SslMode = SslMode.Require }, "does not offer TLS");
    }

    [Fact]
    public async Task A_database_that_is_read_only_is_refused()
    {
        var database = await MakeAsync("");
        await OwnPostgres.ExecuteAsync(AsSuperuser(database), $"ALTER DATABASE {database.Database} SET default_transaction_read_only = on");

        await RefusedAsync(database, "default_transaction_read_only");
    }

    [Fact]
    public async Task A_database_of_a_newer_Headstart_is_refused_and_an_address_works_as_keywords_do()
    {
        var database = await MakeAsync("");
        var address = $"postgres://{database.Username}:{Uri.EscapeDataString(Secret)}@127.0.0.1:1,127.0.0.1:{database.Port}/"
            + $"{database.Database}?sslmode=disable&connect_timeout=10";
        Assert.Equal(0, await MigrateAsync(address));
        await OwnPostgres.ExecuteAsync(database.ConnectionString,
            "INSERT INTO \"__EFMigrationsHistory\" VALUES ('99990101000000_Later', '99')");

        Assert.Contains("99990101000000_Later", await RefusalAsync(address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TLS_that_is_wanted_or_cannot_be_trusted_and_a_standby_are_refused()
    {
        await RefusedAsync(new(second.Address) { Username = "tls_only" }, "sslmode=require");
        await RefusedAsync(new(second.Address) { SslMode = SslMode.VerifyFull }, "certificate", "sslrootcert");
        await RefusedAsync(new(second.Address)
        {
            SslMode = SslMode.VerifyCA,
            RootCertificate = typeof(DatabaseRefusalTests).Assembly.Location
        }, "TLS");
        await RefusedAsync(new(second.Address) { SslMode = SslMode.VerifyCA, RootCertificate = second.Certificate }, "standby", "primary");
        await RefusedAsync(new(second.Address), "standby", "primary");
    }

    [Fact]
    public async Task A_backup_and_its_restore_take_an_address_with_several_servers()
    {
        Needs.Time();
        using var place = new TemporaryFolder();
        using var data = new TemporaryFolder();
        var (from, to) = (await MakeAsync(""), await MakeAsync(""));
        Assert.Equal(0, await MigrateAsync(from.ConnectionString));
        await OwnPostgres.ExecuteAsync(from.ConnectionString,
            "INSERT INTO accounts (id, name, is_operator, created_at) VALUES (gen_random_uuid(), 'ours', true, now())");

        Assert.Equal(0, await BackupCommand.RunAsync(["backup", place.Below("backup")], Configured(Several(from)),
            new Settings { DataDirectory = data.Below("from") }, Api.Cancel));
        Assert.Equal(0, await RestoreCommand.RunAsync(["restore", place.Below("backup")], Configured(Several(to)),
            new Settings { DataDirectory = data.Below("to") }, Api.Cancel));

        Assert.Equal("ours", await OwnPostgres.ExecuteAsync(to.ConnectionString, "SELECT name FROM accounts"));

        static string Several(NpgsqlConnectionStringBuilder at) =>
            $"postgres://{at.Username}:{Uri.EscapeDataString(Secret)}@127.0.0.1:1,127.0.0.1:{at.Port}/"
                + $"{at.Database}?sslmode=prefer&channel_binding=prefer&connect_timeout=10";
    }

    [Theory]
    [InlineData("postgres://u:p@ss;word@h/db?sslcrl=x", "'sslcrl'")]
    [InlineData("a database", "neither")]
    public async Task The_program_ends_with_exit_code_1_and_one_sentence(string address, string named) => await EndsAsync(address, named);

    [Fact]
    public async Task A_host_without_rights_ends_with_exit_code_1_and_one_sentence()
    {
        Needs.Time();
        var database = await MakeAsync("");
        await OwnPostgres.ExecuteAsync(AsSuperuser(database), $"ALTER DATABASE {database.Database} OWNER TO CURRENT_USER");

        await EndsAsync(database.ConnectionString, $"GRANT CREATE ON DATABASE {database.Database} TO {database.Username};");
    }

    private static async Task EndsAsync(string address, string named)
    {
        await using var host = new HostProcess { Environment = { ["ConnectionStrings__Headstart"] = address } };

        var (exitCode, output) = await host.RunAsync();

        Assert.Equal(1, exitCode);
        var sentence = Assert.Single(output.Trim().Split('\n'));
        Assert.Contains(named, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("p@ss", sentence, StringComparison.Ordinal);
    }

    /// <summary>A database, and a user of its own that owns it.</summary>
    private async Task<NpgsqlConnectionStringBuilder> MakeAsync(string how)
    {
        var server = new NpgsqlConnectionStringBuilder(await postgres.CreateEmptyDatabaseAsync())
        {
            Database = "postgres",
            Pooling = false
        };
        var name = $"refused_{Guid.CreateVersion7():n}";
        await OwnPostgres.ExecuteAsync(server.ConnectionString, $"CREATE ROLE {name} LOGIN PASSWORD '{Secret}'");
        await OwnPostgres.ExecuteAsync(server.ConnectionString, $"CREATE DATABASE {name} OWNER {name} {how}");
        (_superuser, _password) = (server.Username!, server.Password!);
        return new(server.ConnectionString) { Database = name, Username = name, Password = Secret };
    }

    private string AsSuperuser(NpgsqlConnectionStringBuilder database) =>
        new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = _superuser, Password = _password }.ConnectionString;

    private string _superuser = "";
    private string _password = "";

    private static Task RefusedAsync(NpgsqlConnectionStringBuilder database, params string[] named) =>
        RefusedAsync(database.ConnectionString, named);

    private static async Task RefusedAsync(string database, string[] named)
    {
        var sentence = await RefusalAsync(database);
        Assert.All(named, part => Assert.Contains(part, sentence, StringComparison.Ordinal));
        Assert.Contains(sentence[^1], ".;"); // a sentence, or the SQL that it ends with
        Assert.DoesNotContain("p@ss", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', sentence);
    }

    private static async Task<string> RefusalAsync(string database)
    {
        var refused = await Record.ExceptionAsync(() => MigrateAsync(database));
        Assert.NotNull(refused);
        return refused is StartupException ? refused.Message : DatabaseProblems.Describe(refused) ?? $"{refused}"; // as Program says it
    }

    private static Task<int> MigrateAsync(string database) => MigrateCommand.RunAsync(Configured(database), Api.Cancel);

    private static ConfigurationManager Configured(string database)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([new("ConnectionStrings:Headstart", database), new("Logging:LogLevel:Default", "None")]);
        return configuration;
    }

    /// <summary>A server that follows another one, which is not there; with TLS and a certificate of its own making.</summary>
    public sealed class SecondServer : IAsyncLifetime
    {
        private readonly OwnPostgres _own = new();
        private DataFolder? _data;
        private LocalPostgres? _server;

        public string Address => _server!.ConnectionString;

        public string Certificate => Path.Combine(_own.Home, "cluster", "server.crt");

        public async ValueTask InitializeAsync()
        {
            _data = DataFolder.Open(_own.Folder.Path);
            await (await _own.StartAsync(_data)).DisposeAsync();

            using var key = RSA.Create(2048);
            var request = new CertificateRequest("CN=database.example", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
            var cluster = Path.GetDirectoryName(Certificate)!;
            await File.WriteAllTextAsync(Certificate, certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(Path.Combine(cluster, "server.key"), key.ExportPkcs8PrivateKeyPem());
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(Path.Combine(cluster, "server.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            await File.WriteAllTextAsync(Path.Combine(cluster, "standby.signal"), "");
            await File.AppendAllTextAsync(Path.Combine(cluster, "postgresql.conf"), "ssl = on\n");
            var rules = Path.Combine(cluster, "pg_hba.conf");
            await File.WriteAllTextAsync(rules, "hostnossl all tls_only all reject\n" + await File.ReadAllTextAsync(rules));
            await PostgresAccount.Current().OwnAsync(cluster, default);
            _server = await _own.StartAsync(_data);
        }

        public async ValueTask DisposeAsync()
        {
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }

            _data?.Dispose();
            _own.Dispose();
        }
    }
}
