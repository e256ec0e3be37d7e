using System.Text;
using System.Text.Json.Nodes;

namespace Headstart.Tests.Backbones;

/// <summary>Registers backbones as a client does.</summary>
internal static class Register
{
    public const string Path = "/api/v1/backbones";
    public const string TextPath = "/api/v1/text-backbones";

    public static async Task<HttpResponseMessage> RegisterAsync(this HttpClient client, byte[] file, string name = "net.onnx",
        params (string Name, string Value)[] fields)
    {
        using var form = Api.Form(null, (name, file));
        foreach (var (field, value) in fields)
        {
            form.Add(new StringContent(value), field);
        }

        return await client.PostAsync(Path, form, Api.Cancel);
    }

    /// <summary>Sends word vectors.</summary>
    public static async Task<HttpResponseMessage> RegisterTextAsync(this HttpClient client, string content, string name, string? id = null)
    {
        using var form = Api.Form(null, (name, Encoding.UTF8.GetBytes(content)));
        if (id is not null)
        {
            form.Add(new StringContent(id), "id");
        }

        return await client.PostAsync(TextPath, form, Api.Cancel);
    }

    /// <summary>The backbone for texts of that id, where there is one.</summary>
    public static async Task<JsonNode?> TextBackboneAsync(this HttpClient client, string id) =>
        (await client.GetJsonAsync(TextPath))["items"]!.AsArray().SingleOrDefault(b => (string?)b!["id"] == id);

    public static async Task<List<JsonNode>> BackbonesAsync(this HttpClient client) =>
        [.. (await client.GetJsonAsync(Path))["items"]!.AsArray().Select(b => b!)];
}
