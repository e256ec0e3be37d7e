using Headstart.Access;
using Headstart.Data;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Access;

internal static class OtherAccount
{
    /// <summary>A client with the admin key of a new account. There is no address yet that makes accounts.</summary>
    public static async Task<HttpClient> OtherAccountAsync(this TestHost host)
    {
        var key = Secrets.NewKey();
        await host.QueryAsync(async db =>
        {
            var now = host.Services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime;
            var account = new Account { Id = Guid.CreateVersion7(), Name = "other", CreatedAt = now };
            db.Add(account);
            db.Add(Secrets.Entity(account.Id, "other", key, Scopes.All, now));
            return await db.SaveChangesAsync(Api.Cancel);
        });
        return host.ClientWith(key);
    }

    /// <summary>A client with a new key of the default account that has these scopes.</summary>
    public static async Task<HttpClient> ClientWithScopesAsync(this TestHost host, params string[] scopes)
    {
        var key = await (await host.Client.PostAsync("/api/v1/keys", new { name = "a key", scopes }))
            .JsonAsync(System.Net.HttpStatusCode.Created);
        return host.ClientWith((string)key["key"]!);
    }

    /// <summary>A new key of the default account: its id and its secret.</summary>
    public static async Task<(string Id, string Secret)> NewKeyAsync(this TestHost host, bool admin = false, HttpClient? by = null)
    {
        var key = await (await (by ?? host.Client).PostAsync("/api/v1/keys", new { name = "a key", admin }))
            .JsonAsync(System.Net.HttpStatusCode.Created);
        return ((string)key["id"]!, (string)key["key"]!);
    }
}
