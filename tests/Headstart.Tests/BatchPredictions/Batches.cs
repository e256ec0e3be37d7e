using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CsvHelper;

namespace Headstart.Tests.BatchPredictions;

/// <summary>Batches as a client sees them.</summary>
internal static class Batches
{
    public static Task<HttpResponseMessage> SendBatchAsync(
        this HttpClient client, string model, HttpContent content, string query = "", string? idempotencyKey = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{model}/batch-predictions{query}") { Content = content };
        request.Headers.ExpectContinue = true; // as curl does: a refusal comes before the body is sent
        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        return client.SendAsync(request, Api.Cancel);
    }

    public static async Task<JsonNode> StartBatchAsync(
        this HttpClient client, string model, HttpContent content, string query = "", string? idempotencyKey = null) =>
        await (await client.SendBatchAsync(model, content, query, idempotencyKey)).JsonAsync(HttpStatusCode.Accepted);

    public static string PathOf(string model, JsonNode batch) => $"{model}/batch-predictions/{batch["id"]}";

    /// <summary>Waits for the end; the progress must never fall.</summary>
    public static async Task<JsonNode> EndOfBatchAsync(this HttpClient client, string model, JsonNode batch)
    {
        for (var looks = 0; (string?)batch["state"] is "queued" or "running"; looks++)
        {
            Assert.True(looks < 3_000, $"The batch does not end: {batch.ToJsonString()}"); // rather than hang the whole test run
            await Task.Delay(50, Api.Cancel);
            var next = await client.GetJsonAsync(PathOf(model, batch));
            Assert.True((double)next["progress"]! >= (double)batch["progress"]!, $"{batch.ToJsonString()} {next.ToJsonString()}");
            batch = next;
        }

        return batch;
    }

    /// <summary>Sends, waits, and returns the lines of the results.</summary>
    public static async Task<JsonNode[]> AnswerBatchAsync(this HttpClient client, string model, HttpContent content, string query = "")
    {
        var batch = await client.EndOfBatchAsync(model, await client.StartBatchAsync(model, content, query));
        Assert.Equal(("succeeded", 1.0), ((string?)batch["state"], (double)batch["progress"]!));
        var lines = await client.LinesAsync(model, batch);
        Assert.Equal(((int)batch["images"]!, (int)batch["done"]!, (int)batch["failed"]!),
            (lines.Length, lines.Length, lines.Count(l => l["error"] is not null)));
        return lines;
    }

    public static async Task<JsonNode[]> LinesAsync(this HttpClient client, string model, JsonNode batch)
    {
        var response = await client.GetAsync($"{PathOf(model, batch)}/results", Api.Cancel);
        var text = await response.Content.ReadAsStringAsync(Api.Cancel);
        Assert.Equal((HttpStatusCode.OK, "application/x-ndjson", "attachment"),
            (response.StatusCode, response.Content.Headers.ContentType?.MediaType,
                response.Content.Headers.ContentDisposition?.DispositionType));
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    /// <summary>The results as a table: the header, then the rows, by the header's names.</summary>
    public static async Task<(string[] Header, Dictionary<string, string>[] Rows)> TableAsync(this HttpClient client, string model,
        JsonNode batch)
    {
        var response = await client.GetAsync($"{PathOf(model, batch)}/results?format=csv", Api.Cancel);
        var bytes = await response.Content.ReadAsByteArrayAsync(Api.Cancel);
        Assert.Equal((HttpStatusCode.OK, "text/csv"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        using var csv = CsvReader.Create(bytes, CsvReaderOptions.Default with { HasHeader = false });
        var rows = new List<string[]>();
        foreach (var row in csv)
        {
            rows.Add(row.ToArray());
        }

        return (rows[0], [.. rows.Skip(1).Select(row => rows[0].Zip(row).ToDictionary(cell => cell.First, cell => cell.Second))]);
    }

    public static byte[] Zip(params IEnumerable<(string Name, byte[] Bytes)> files) => Zip(CompressionLevel.NoCompression, files);

    public static byte[] Zip(CompressionLevel level, params IEnumerable<(string Name, byte[] Bytes)> files)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        }

        return bytes.ToArray();
    }

    /// <summary>The archive with wrong checksums in its directory.</summary>
    public static byte[] Damaged(byte[] zip)
    {
        const int Checksum = 16; // its place in an entry
        for (var at = zip.AsSpan().IndexOf("PK\x01\x02"u8); at >= 0;)
        {
            zip[at + Checksum] ^= 1;
            at = zip.AsSpan(at + 1).IndexOf("PK\x01\x02"u8) is var next && next < 0 ? -1 : at + 1 + next;
        }

        return zip;
    }

    public static ByteArrayContent Archive(byte[] zip) =>
        new(zip) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } };

    public static MultipartFormDataContent Photographs(params IEnumerable<string> files) =>
        Api.Form(null, files.Select(f => (Path.GetFileName(f), File.ReadAllBytes(f))));

    public static JsonContent Stored(object body) => JsonContent.Create(body, options: System.Text.Json.JsonSerializerOptions.Web);

    /// <summary>So many files with names of their own, of a few photographs.</summary>
    public static MultipartFormDataContent Many(int count)
    {
        var files = Pets.Cats.Concat(Pets.Dogs);
        var photographs = files.Select(File.ReadAllBytes).ToList();
        return Api.Form(null, Enumerable.Range(0, count).Select(i => ($"{i}.jpg", photographs[i % photographs.Count])));
    }
}
