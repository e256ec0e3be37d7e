using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.ApiDocument;

/// <summary>Bodies of the generated requests, in the media types of the document.</summary>
internal sealed class OddBodies(Random random, OddValues values)
{
    private const string Boundary = "a-boundary";

    /// <summary>A body as the document wants it, or with something wrong in it, and what its Content-Type says.</summary>
    public (byte[] Bytes, string? MediaType) Of(string mediaType, JsonNode description, bool odd)
    {
        var said = odd && values.Chance(0.15)
            ? values.Of("text/plain", "application/json", "application/xml", "nonsense", "multipart/form-data", "image/*", "*/*", "",
                "application/json; charset=utf-7")
            : null;
        var bytes = mediaType switch
        {
            "application/json" or "*/*" => Json(description, odd),
            "multipart/form-data" => Form(description, odd),
            "application/zip" => Zip(odd),
            "application/octet-stream" => Picture(odd),
            "image/*" => Picture(odd),
            _ => Rows(mediaType, description, odd),
        };
        return (bytes, said ?? mediaType switch
        {
            "image/*" => "image/jpeg",
            "*/*" => "application/octet-stream",
            "multipart/form-data" => odd && values.Chance(0.1)
                ? "multipart/form-data; boundary=" + values.Of("", "\"", "other", new string('b', 300))
                : $"multipart/form-data; boundary={Boundary}",
            _ => mediaType,
        });
    }

    private byte[] Json(JsonNode description, bool odd)
    {
        var json = values.Chance(0.5) ? description["example"]?.DeepClone() : null;
        json ??= values.Fitting(description["schema"]!);
        return odd ? values.Damaged(json) : Encoding.UTF8.GetBytes(json?.ToJsonString() ?? "null");
    }

    private byte[] Picture(bool odd)
    {
        var jpeg = Pictures.Jpeg(random.Next(50));
        return !odd ? jpeg : random.Next(6) switch
        {
            0 => [],
            1 => jpeg[..random.Next(jpeg.Length)],
            2 => Encoding.UTF8.GetBytes("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
            3 => Pictures.PngClaiming(60_000, 60_000),
            4 => [.. jpeg.Select(b => values.Chance(0.02) ? (byte)random.Next(256) : b)],
            _ => Noise(random.Next(1, 5_000)),
        };
    }

    private byte[] Noise(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Zip(bool odd)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            for (var i = random.Next(0, 4); i > 0; i--)
            {
                using var entry = zip.CreateEntry(!odd ? $"cats/{i}.jpg"
                    : values.Of("../x.jpg", "/etc/x.jpg", "cats/\u0001.jpg", "cats//.jpg", "a\\b.jpg", new string('d', 300) + "/x.jpg",
                        "cats/x.zip")).Open();
                entry.Write(Picture(odd));
            }
        }

        var all = bytes.ToArray();
        return !odd || values.Chance(0.5) ? all : values.Chance(0.5) ? all[..random.Next(all.Length)]
            : [.. all.Select(b => values.Chance(0.05) ? (byte)random.Next(256) : b)];
    }

    private byte[] Rows(string mediaType, JsonNode description, bool odd)
    {
        var rows = (string?)description["example"] ?? "I loved it";
        if (!odd)
        {
            return Encoding.UTF8.GetBytes(rows.Replace("loved it", $"saw it {random.Next(1_000)} times", StringComparison.Ordinal));
        }

        return random.Next(8) switch
        {
            0 => [],
            1 => Noise(random.Next(1, 5_000)),
            2 => Encoding.UTF8.GetBytes(rows[..random.Next(rows.Length)]),
            3 => Encoding.UTF8.GetBytes(rows.Replace("I", "\0", StringComparison.Ordinal)),
            4 => Encoding.UTF8.GetBytes(rows + "\"unclosed," + new string('x', 70_000)),
            5 => [0xEF, 0xBB, 0xBF, .. Encoding.Unicode.GetBytes(rows)],
            6 => values.Damaged(new JsonObject { ["text"] = "x", ["category"] = "cats", ["url"] = "http://127.0.0.1:1/" }),
            _ => Encoding.UTF8.GetBytes(mediaType.Contains("json", StringComparison.Ordinal)
            ? $"{{\"text\":\"\\ud800\",\"category\":\"\\u0000\"}}\n{{\"url\":5}}\n" : $"{values.OddText()}\n{rows}"),
        };
    }

    private byte[] Form(JsonNode description, bool odd)
    {
        using var form = new MemoryStream();
        foreach (var (name, property) in description["schema"]!["properties"]!.AsObject())
        {
            if (values.Chance(0.15))
            {
                continue;
            }

            var isFile = (string?)property!["format"] == "binary" || (string?)property["items"]?["format"] == "binary";
            Part(form, odd && values.Chance(0.1) ? values.OddText() : name, isFile,
                isFile ? Picture(odd && values.Chance(0.5)) : Field(property, odd && values.Chance(0.5)), odd);
        }

        for (var more = odd && values.Chance(0.1) ? random.Next(200, 2_000) : 0; more > 0; more--)
        {
            Write(form, $"--{Boundary}\r\nContent-Disposition: form-data; name=\"{more}\"\r\n\r\n\r\n");
        }

        if (!odd || values.Chance(0.7))
        {
            Write(form, $"--{Boundary}--\r\n");
        }

        var all = form.ToArray();
        return odd && values.Chance(0.2) ? all[..random.Next(all.Length)] : all;
    }

    private byte[] Field(JsonNode property, bool odd) => odd ? values.Chance(0.3) ? Noise(40) : Encoding.UTF8.GetBytes(values.OddText())
        : Encoding.UTF8.GetBytes((property["example"] is JsonArray several ? several[0] : property["example"])?.ToString() ?? "cats");

    private void Part(MemoryStream form, string name, bool isFile, byte[] content, bool odd)
    {
        var file = !isFile ? "" : !odd ? $"; filename=\"{random.Next()}.jpg\""
            : values.Of("; filename=\"\"", "; filename=\"../../x.jpg\"", "; filename=\"\0\"", "; filename*=UTF-8''%ff%00",
                $"; filename=\"{new string('f', 3_000)}\"");
        var more = odd && values.Chance(0.15)
            ? values.Of("Content-Type: \r\n", "Content-Transfer-Encoding: base64\r\n", "X\r\n", $"X: {new string('x', 20_000)}\r\n",
                ": :\r\n")
            : "";
        Write(form, $"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n{more}\r\n");
        form.Write(content);
        Write(form, "\r\n");
    }

    private static void Write(MemoryStream form, string text) => form.Write(Encoding.UTF8.GetBytes(text));
}
