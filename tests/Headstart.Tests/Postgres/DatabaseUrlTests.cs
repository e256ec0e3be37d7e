using Headstart.Errors;
using Headstart.Postgres;
using Npgsql;

namespace Headstart.Tests.Postgres;

/// <summary>Connection strings as people have them, from Npgsql's documentation or from a hosting company's page.</summary>
public sealed class DatabaseUrlTests
{
    [Theory]
    [InlineData("postgres://u:p@h/db", "Host=h;Username=u;Password=p;Database=db;SSL Mode=Prefer")]
    [InlineData(" PostgreSQL://u:p@h:6543/db\n", "Host=h;Port=6543;Username=u;Password=p;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres://us%40er:p%40ss%20word%3Bx%27%22%25@h/d%2Fb",
        "Host=h;Username=us@er;Password=\"p@ss word;x'\"\"%\";Database=d/b;SSL Mode=Prefer")]
    [InlineData("postgres://user@server:p@ss:w+rd#1@h/db", "Host=h;Username=user@server;Password=p@ss:w+rd#1;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres://u@h", "Host=h;Username=u;SSL Mode=Prefer")]
    [InlineData("postgres://u:p@[2001:db8::1]:5433/db", "Host=2001:db8::1;Port=5433;Username=u;Password=p;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres://u:p@[::1]/db", "Host=::1;Username=u;Password=p;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres://u:p@a:5432,b:5433/db?target_session_attrs=primary",
        "Host=\"a:5432,b:5433\";Username=u;Password=p;Database=db;SSL Mode=Prefer;Target Session Attributes=primary")]
    [InlineData("postgres://u:p@a,[::1]:5433/db",
        "Host=\"a:5432,[::1]:5433\";Username=u;Password=p;Database=db;SSL Mode=Prefer;Target Session Attributes=read-write")]
    [InlineData("postgres://u:p@h/db?target_session_attrs=read-write", "Host=h;Username=u;Password=p;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres:///db?host=a,b&port=6000&user=u&password=p%26q",
        "Host=\"a:6000,b:6000\";Username=u;Password=p&q;Database=db;SSL Mode=Prefer;Target Session Attributes=read-write")]
    [InlineData("postgres://u:p@/db?host=/cloudsql/project:region:instance",
        "Host=/cloudsql/project:region:instance;Username=u;Password=p;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres://u@%2Fvar%2Frun%2Fpostgresql/db", "Host=/var/run/postgresql;Username=u;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres://h?dbname=db", "Host=h;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres://h/db?sslmode=disable", "Host=h;Database=db;SSL Mode=Disable")]
    [InlineData("postgres://h/db?sslmode=allow", "Host=h;Database=db;SSL Mode=Allow")]
    [InlineData("postgres://h/db?sslmode=require", "Host=h;Database=db;SSL Mode=Require")]
    [InlineData("postgres://h/db?sslmode=no-verify", "Host=h;Database=db;SSL Mode=Require")]
    [InlineData("postgres://h/db?ssl=true", "Host=h;Database=db;SSL Mode=Require")]
    [InlineData("postgres://h/db?sslmode=verify-ca&sslrootcert=FILE", "Host=h;Database=db;SSL Mode=VerifyCA;Root Certificate=FILE")]
    [InlineData("postgres://h/db?sslmode=require&sslrootcert=FILE", "Host=h;Database=db;SSL Mode=VerifyCA;Root Certificate=FILE")]
    [InlineData("postgres://h/db?sslmode=verify-full&sslrootcert=system", "Host=h;Database=db;SSL Mode=VerifyFull")]
    [InlineData("postgres://h/db?sslcert=FILE&sslkey=FILE&sslpassword=s&sslmode=verify-full",
        "Host=h;Database=db;SSL Mode=VerifyFull;SSL Certificate=FILE;SSL Key=FILE;SSL Password=s")]
    [InlineData("postgres://h/db?application_name=shop&connect_timeout=10&channel_binding=require",
        "Host=h;Database=db;SSL Mode=Prefer;Application Name=shop;Timeout=10;Channel Binding=Require")]
    [InlineData("postgres://h/db?options=endpoint%3Dep-1%20-c%20search_path%3Dapp",
        "Host=h;Database=db;SSL Mode=Prefer;Options=\"endpoint=ep-1 -c search_path=app\"")]
    [InlineData("postgres://h/db?pgbouncer=true&gssencmode=disable&require_auth=scram-sha-256,md5",
        "Host=h;Database=db;SSL Mode=Prefer;GSS Encryption Mode=Disable;Require Auth=\"ScramSHA256,MD5\"")]
    [InlineData("postgres://h/db?keepalives=1&keepalives_idle=30&keepalives_interval=5&client_encoding=UTF8",
        "Host=h;Database=db;SSL Mode=Prefer;TCP Keepalive=true;TCP Keepalive Time=30;TCP Keepalive Interval=5")]
    [InlineData("postgres://h/db?keepalives_idle=-1&keepalives_interval=5",
        "Host=h;Database=db;SSL Mode=Prefer;TCP Keepalive Time=0")]
    [InlineData("\"postgres://u:p@h/db\"", "Host=h;Username=u;Password=p;Database=db;SSL Mode=Prefer")]
    [InlineData("postgres://h/db?Maximum%20Pool%20Size=7&search_path=app",
        "Host=h;Database=db;SSL Mode=Prefer;Maximum Pool Size=7;Search Path=app")]
    [InlineData("Host=h;Port=6543;Database=db;Username=u;Password=\"p;q\"", "Host=h;Port=6543;Database=db;Username=u;Password=\"p;q\"")]
    [InlineData("Server=a,b;Database=db;Maximum Pool Size=20",
        "Host=\"a,b\";Database=db;Maximum Pool Size=20;Target Session Attributes=read-write")]
    public void What_an_address_says_is_what_Npgsql_is_told(string text, string keywords)
    {
        var file = Path.GetTempFileName();
        try
        {
            var address = DatabaseAddress.Parse(text.Replace("FILE", Uri.EscapeDataString(file), StringComparison.Ordinal));

            var (expected, told) = (Said(keywords.Replace("FILE", file, StringComparison.Ordinal)), Said(address.ConnectionString));
            Assert.True(expected.SequenceEqual(told), $"{string.Join("; ", told)}");
            Assert.False(address.IsOwn);
        }
        finally
        {
            File.Delete(file);
        }

        // Ports that say nothing new do not matter.
        static IEnumerable<string> Said(string connection) => new NpgsqlConnectionStringBuilder(connection)
            .Where(pair => $"{pair.Key}={pair.Value}" != "Port=5432")
            .Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("postgres://u:secret@h/db?sslcrl=x", "'sslcrl'")]
    [InlineData("postgres://u:secret@h/db?pool_timeout=5", "'pool_timeout'")]
    [InlineData("postgres://u:secret@h/db?hostaddr=1.2.3.4", "'hostaddr'")]
    [InlineData("postgres://u:secret@h/db?sslmode", "'sslmode'")]
    [InlineData("postgres://u:secret@h/db?sslmode=required", "'sslmode'")]
    [InlineData("postgres://u:secret@h/db?channel_binding=perhaps", "'channel_binding'")]
    [InlineData("postgres://u:secret@h/db?require_auth=secret", "'require_auth'")]
    [InlineData("postgres://u:secret@h/db?connect_timeout=soon", "'connect_timeout'")]
    [InlineData("postgres://u:secret@h/db?pgbouncer=perhaps", "'pgbouncer'")]
    [InlineData("postgres://u:secret@a,b/db?target_session_attrs=standby", "target_session_attrs")]
    [InlineData("postgres://u:secret@a,b/db?port=1,2,3", "'port'")]
    [InlineData("postgres://u:secret@h:secret/db", "port")]
    [InlineData("postgres://u:secret@h:0/db", "port")]
    [InlineData("postgres://u:sec/ret@h/db", "%2F")]
    [InlineData("postgres://u:sec?secret=ret@h/db", "%3F")]
    [InlineData("postgres://u:x@secret/secret@h/db", "%2F")]
    [InlineData("postgres://u:x@a?secret=b@h/db", "%3F")]
    [InlineData("postgres://h/db?require_auth=md5,!password&password=secret", "'require_auth'")]
    [InlineData("postgres://u:secret%@h/db", "%25")]
    [InlineData("postgres://u:secret%zz@h/db", "%25")]
    [InlineData("postgres://h/db?user=u&password=a&secret=x", "%26")]
    [InlineData("postgres://u:secret@/db", "host")]
    [InlineData("postgres:///db", "host")]
    [InlineData("postgres://u:secret@h/db?sslrootcert=/nowhere.crt", "'/nowhere.crt'")]
    [InlineData("mysql://u:secret@h/db", "neither")]
    [InlineData("mysql://u:secret@h/db?a=b", "neither")]
    [InlineData("jdbc:postgresql://h/db?user=u&password=secret", "neither")]
    [InlineData("localhost", "neither")]
    [InlineData("host=h port=5432 user=u password=secret", "neither")]
    [InlineData("Host=h;Username=u;Password=a secret;word", "neither")]
    [InlineData("Host=h;Username=u;Password=a;secret=word", "quotes")]
    [InlineData("Host=h;Passwort=secret", "'passwort'")]
    [InlineData("Host=h;Port=secret", "'port'")]
    [InlineData("Host=h;Port=70000;Password=secret", "65535")]
    [InlineData("Host=h:secret;Password=secret", "65535")]
    [InlineData("Host=h:5432/db;Password=secret", "65535")]
    [InlineData("Host=a:5432,[::1]:70000;Password=secret", "65535")]
    [InlineData("Host=h;SSL Mode=Required;Password=secret", "'ssl mode'")]
    [InlineData("Host=a,b;Target Session Attributes=read-only;Password=secret", "read-only")]
    [InlineData("Database=db;Password=secret", "host")]
    public void What_cannot_be_used_is_refused_with_one_sentence_that_names_it_and_no_password(string text, string named)
    {
        var refused = Assert.Throws<StartupException>(() => DatabaseAddress.Parse(text)).Message;

        Assert.StartsWith("ConnectionStrings:Headstart cannot be used: ", refused, StringComparison.Ordinal);
        Assert.Contains(named, refused, StringComparison.Ordinal);
        Assert.EndsWith(".", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused);
    }

    [Fact]
    public void An_address_that_is_logged_has_no_password() =>
        Assert.Equal("h:5432/db", DatabaseAddress.Parse("postgres://u:secret@h/db").ToString());

    [Theory]
    [InlineData(90624, "UTF8", false, false, "PostgreSQL 9.6")]
    [InlineData(120022, "UTF8", false, false, "PostgreSQL 12")]
    [InlineData(150004, "LATIN1", false, false, "ENCODING 'UTF8'")]
    [InlineData(150004, "UTF8", true, true, "standby")]
    [InlineData(150004, "UTF8", false, true, "default_transaction_read_only")]
    [InlineData(130000, "UTF8", false, false, null)]
    public void A_server_that_is_not_as_Headstart_needs_it_is_refused(int version, string encoding, bool standby, bool readOnly,
        string? named)
    {
        var refused = new ServerFacts(1, version, encoding, standby, readOnly, "db", "u").Refusal();

        Assert.Equal(named is null, refused is null);
        Assert.Contains(named ?? "", refused ?? "", StringComparison.Ordinal);
    }
}
