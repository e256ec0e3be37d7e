using System.Net;
using System.Text.RegularExpressions;

namespace Headstart.Tests.Web;

/// <summary>What a browser does to sign in: reads the page's token, sends the form, keeps the cookie.</summary>
internal sealed partial class Browser : IDisposable
{
    private readonly string _below;
    private readonly SocketsHttpHandler _handler = new() { AllowAutoRedirect = false, CookieContainer = new() };

    public Browser(TestHost host)
        : this(host.Address)
    {
    }

    /// <param name="address">Of the host, with the path that it is below.</param>
    public Browser(Uri address) => (Client, _below) = (new(_handler) { BaseAddress = address }, address.AbsolutePath.TrimEnd('/'));

    public HttpClient Client { get; }

    public CookieContainer Cookies => _handler.CookieContainer;

    public async Task<HttpResponseMessage> SignInAsync(string key, string to = "/")
    {
        var token = Field().Match(await Client.GetStringAsync($"{_below}/signin", Api.Cancel)).Groups[1].Value;
        return await Client.PostAsync($"{_below}/session",
            new FormUrlEncodedContent([new("key", key), new("to", to), new("__RequestVerificationToken", token)]), Api.Cancel);
    }

    public async Task<string> TokenAsync(string page) => Meta().Match(await Client.GetStringAsync(page, Api.Cancel)).Groups[1].Value;

    public void Dispose()
    {
        Client.Dispose();
        _handler.Dispose();
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Field();

    [GeneratedRegex("name=\"headstart-antiforgery\" content=\"([^\"]+)\"")]
    private static partial Regex Meta();
}
