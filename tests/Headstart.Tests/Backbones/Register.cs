using System.Text.Json.Nodes;

namespace Headstart.Tests.Backbones;

/// <summary>Registers backbones as a client does.</summary>
internal static class Register
{
    public const string Path = "/api/v1/backbones";

    public static async Task<HttpResponseMessage> RegisterAsync(this HttpClient client, byte[] file, string name = "net.onnx", params (string Name, string Value)[] fields)
    {
        using var form = Api.Form(null, (name, file));
        foreach (var (field, value) in fields)
        {
            form.Add(new StringContent(value), field);
        }

        return await client.PostAsync(Path, form, Api.Cancel);
    }

    public static async Task<List<JsonNode>> BackbonesAsync(this HttpClient client) =>
        [.. (await client.GetJsonAsync(Path))["items"]!.AsArray().Select(b => b!)];
}
