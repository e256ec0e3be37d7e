using System.Text.Json;
using Headstart.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Mvc;
using ISnackbar = MudBlazor.ISnackbar;

namespace Headstart.Web;

/// <summary>A response of the API.</summary>
/// <param name="Value">The response body on success.</param>
/// <param name="Problem">On failure, what went wrong and what to do.</param>
public sealed record Answer<T>(T? Value, string? Problem, int Status)
{
    public bool Worked => Problem is null;
}

internal static class FailedCalls
{
    /// <summary>Shows the error of a failed call.</summary>
    /// <returns>Whether the call succeeded.</returns>
    public static bool Tell<T>(this ISnackbar snackbar, Answer<T> answer)
    {
        if (!answer.Worked)
        {
            snackbar.Add(answer.Problem!, MudBlazor.Severity.Error);
        }

        return answer.Worked;
    }
}

/// <summary>Calls this host's API as the signed-in user, see <see cref="OwnApi"/>. Paths are relative to <c>/api/v1/</c>.</summary>
public sealed class ApiCalls(OwnApi api, AuthenticationStateProvider who) : IDisposable
{
    private readonly HttpClient _client = new(api, disposeHandler: false)
    {
        BaseAddress = new("http://headstart/api/v1/"),
        Timeout = TimeSpan.FromMinutes(2)
    };

    public Task<Answer<T>> GetAsync<T>(string path, CancellationToken cancel = default) => SendAsync<T>(HttpMethod.Get, path, null, cancel);

    public Task<Answer<T>> PostAsync<T>(string path, object? body = null, CancellationToken cancel = default) =>
        SendAsync<T>(HttpMethod.Post, path, body ?? new { }, cancel);

    public Task<Answer<T>> PatchAsync<T>(string path, object body, CancellationToken cancel = default) =>
        SendAsync<T>(HttpMethod.Patch, path, body, cancel);

    public Task<Answer<object>> DeleteAsync(string path, CancellationToken cancel = default) =>
        SendAsync<object>(HttpMethod.Delete, path, null, cancel);

    /// <summary>All pages of a list, or the first <paramref name="most"/> items of it.</summary>
    public async Task<Answer<List<T>>> ListAsync<T>(string path, int most = int.MaxValue, CancellationToken cancel = default)
    {
        var items = new List<T>();
        string? after = null;
        do
        {
            var sign = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            var page = await GetAsync<Page<T>>(
                $"{path}{sign}limit={Page.MaxLimit}{(after is null ? "" : $"&after={Uri.EscapeDataString(after)}")}", cancel);
            if (page.Value is null)
            {
                return new(null, page.Problem, page.Status);
            }

            items.AddRange(page.Value.Items);
            after = page.Value.Next;
        }
        while (after is not null && items.Count < most);

        return new(items, null, StatusCodes.Status200OK);
    }

    public void Dispose() => _client.Dispose();

    private async Task<Answer<T>> SendAsync<T>(HttpMethod method, string path, object? body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body is null ? null
            : JsonContent.Create(body, body.GetType(), options: Json.Options)
        };
        if ((await who.GetAuthenticationStateAsync()).User.FindFirst(Caller.KeyHashClaim)?.Value is { } hash)
        {
            request.Options.Set(OwnApi.KeyHash, hash);
        }

        using var response = await _client.SendAsync(request, cancel);
        var status = (int)response.StatusCode;
        if (!response.IsSuccessStatusCode)
        {
            return new(default, await SentenceAsync(response, cancel), status);
        }

        return new(response.Content.Headers.ContentType is null ? default
            : await response.Content.ReadFromJsonAsync<T>(Json.Options, cancel), null, status);
    }

    private static async Task<string> SentenceAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        try
        {
            return (await response.Content.ReadFromJsonAsync<ProblemDetails>(Json.Options, cancel))?.Detail
                ?? $"The server returned status {(int)response.StatusCode}.";
        }
        catch (JsonException)
        {
            return $"The server returned status {(int)response.StatusCode}.";
        }
    }
}
