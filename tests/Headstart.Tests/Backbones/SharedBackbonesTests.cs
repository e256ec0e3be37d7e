using System.Net;
using System.Security.Cryptography;
using System.Text;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Tests.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Backbones;

public sealed class SharedBackbonesTests(TestHost host) : IClassFixture<TestHost>
{
    [Fact]
    public async Task A_file_that_this_host_cannot_use_is_not_downloaded_again_until_it_is_given_with_another_description()
    {
        using var log = LogListener.To<SharedBackbones>(host);
        await GiveAsync("first", "{}");
        await log.HearsAsync("backbone first");
        await GiveAsync("second", "{}", "and more");
        await log.HearsAsync("backbone second");
        await GiveAsync("third", "{ }", "and more again");
        await log.HearsAsync("backbone third"); // the exchange that found the second has ended

        Assert.Single(log.Lines, line => line.Contains("backbone first", StringComparison.Ordinal));

        await host.QueryAsync(db => db.Database.ExecuteSqlAsync(
            $$"""UPDATE shared_backbones SET manifest = '{"id":"first"}' WHERE id = 'first'"""));
        await GiveAsync("fourth", "{}", "and yet more");
        await log.HearsAsync("backbone fourth");
        await GiveAsync("fifth", "{}", "and no more");
        await log.HearsAsync("backbone fifth");

        Assert.Equal(2, log.Lines.Count(line => line.Contains("backbone first", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_another_host_has_registered_stays_however_a_registration_under_its_id_ends_here()
    {
        await (await RegisterAsync(1)).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(HttpStatusCode.NoContent, (await host.Client.DeleteAsync($"{Register.Path}/ours", Api.Cancel)).StatusCode);
        ForgetBlob(RegisterTests.Network(1));
        await ExecuteAsync("UPDATE shared_backbones SET removed_at = NULL WHERE id = 'ours'"); // another host has it, and this one cannot

        await (await RegisterAsync(2)).ProblemAsync(HttpStatusCode.Conflict, "backbone-exists");
        await ExecuteAsync("""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON shared_backbones FOR EACH ROW EXECUTE FUNCTION fail();
            """);
        await (await RegisterAsync(1)).ProblemAsync(HttpStatusCode.InternalServerError, "internal-error");
        await ExecuteAsync("DROP TRIGGER fail ON shared_backbones");
        Assert.True(await host.QueryAsync(db => db.SharedBackbones.AnyAsync(b => b.Id == "ours" && b.RemovedAt == null)));

        await (await RegisterAsync(1)).JsonAsync();
        Assert.True((bool?)(await host.Client.GetJsonAsync($"{Register.Path}/ours"))["registered"]);

        Task<HttpResponseMessage> RegisterAsync(int number) =>
            host.Client.RegisterAsync(RegisterTests.Network(number), "ours.onnx", ("mean", "0,0,0"));
    }

    [Fact]
    public async Task Word_vectors_that_another_host_has_registered_stay_too()
    {
        await (await host.Client.RegisterTextAsync(RegisterTextTests.Words, "words.txt")).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(HttpStatusCode.NoContent, (await host.Client.DeleteAsync($"{Register.TextPath}/words", Api.Cancel)).StatusCode);
        ForgetBlob(Encoding.UTF8.GetBytes(RegisterTextTests.Words));
        await ExecuteAsync("UPDATE shared_backbones SET removed_at = NULL WHERE id = 'text/words'");

        await (await host.Client.RegisterTextAsync(RegisterTextTests.Words + "more 1 1 1\n", "words.txt"))
            .ProblemAsync(HttpStatusCode.Conflict, "backbone-exists");
        await (await host.Client.RegisterTextAsync(RegisterTextTests.Words, "words.txt")).JsonAsync();
        Assert.True(await host.QueryAsync(db => db.SharedBackbones.AnyAsync(b => b.Id == "text/words" && b.RemovedAt == null)));
    }

    [Fact]
    public async Task What_was_registered_anew_while_this_host_was_down_takes_the_place_of_what_it_has()
    {
        await (await host.Client.RegisterAsync(RegisterTests.Network(3), "anew.onnx", ("mean", "0,0,0"))).JsonAsync(HttpStatusCode.Created);
        await (await host.Client.RegisterTextAsync(RegisterTextTests.Words + "old 1 1 1\n", "anew.txt")).JsonAsync(HttpStatusCode.Created);

        var network = await NewFileAsync("anew", RegisterTests.Network(4));
        var words = await NewFileAsync("text/anew", Encoding.UTF8.GetBytes(RegisterTextTests.Words + "new 1 1 1\n"));

        for (var looks = 0; await BackboneAsync() != network || await WordsAsync() != words; looks++)
        {
            Assert.True(looks < 1_200, "This host keeps the old files.");
            await Task.Delay(50, Api.Cancel);
        }

        // What other hosts have done meanwhile.
        async Task<string> NewFileAsync(string id, byte[] file)
        {
            var sha256 = await host.Services.GetRequiredService<IBlobStore>().PutAsync(file, Api.Cancel);
            var hex = Convert.ToHexStringLower(sha256);
            await host.QueryAsync(async db =>
            {
                await db.Database.ExecuteSqlAsync($$"""
                    UPDATE shared_backbones SET sha256 = {{sha256}}, manifest = CASE WHEN jsonb_typeof(manifest) = 'object'
                        THEN manifest || jsonb_build_object('sha256', {{hex}}) ELSE manifest END WHERE id = {{id}}
                    """);
                await Announcements.SayAsync(db, Announcement.Backbones, Api.Cancel);
                return 0;
            });
            return hex;
        }

        async Task<string?> BackboneAsync() =>
            (string?)(await host.Client.BackbonesAsync()).SingleOrDefault(b => (string?)b["id"] == "anew")?["sha256"];

        async Task<string?> WordsAsync() => (string?)(await host.Client.TextBackboneAsync("anew"))?["sha256"];
    }

    private void ForgetBlob(byte[] file) => File.Delete(Directory.GetFiles(Path.Combine(host.DataFolder, "blobs"),
        $"*{Convert.ToHexStringLower(SHA256.HashData(file))}*", SearchOption.AllDirectories).Single());

    private Task<int> ExecuteAsync(string sql) => host.QueryAsync(db => db.Database.ExecuteSqlRawAsync(sql, Api.Cancel));

    /// <summary>As another host does that can use the file.</summary>
    private async Task GiveAsync(string id, string manifest, string more = "")
    {
        var blobs = host.Services.GetRequiredService<IBlobStore>();
        var sha256 = await blobs.PutAsync(Encoding.UTF8.GetBytes("no network " + more), Api.Cancel);
        await host.QueryAsync(async db =>
        {
            db.Add(new SharedBackbone
            {
                Id = id,
                Sha256 = sha256,
                Manifest = manifest,
                Registered = false,
                CreatedAt = DateTime.UnixEpoch,
            });
            await db.SaveChangesAsync();
            await Announcements.SayAsync(db, Announcement.Backbones, Api.Cancel);
            return 0;
        });
    }
}
