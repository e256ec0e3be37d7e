using System.Globalization;
using System.Text;

namespace Headstart.Tests.NanoNets;

/// <summary>A part of a form as a client writes it.</summary>
/// <param name="FileName">null for a field; python-requests also writes <c>filename=""</c>.</param>
/// <param name="ContentType">null where the client sends none.</param>
internal sealed record FormPart(string Name, string? FileName, string? ContentType, byte[] Bytes)
{
    public static FormPart Field(string name, string value) => new(name, null, null, Encoding.UTF8.GetBytes(value));

    /// <summary>What <c>files={'name': ('', value)}</c> becomes in python-requests.</summary>
    public static FormPart Unnamed(string name, string value) => new(name, "", null, Encoding.UTF8.GetBytes(value));

    public static FormPart File(string name, string path, string? contentType = null) =>
        new(name, Path.GetFileName(path), contentType, System.IO.File.ReadAllBytes(path));

    /// <summary>Everything between the boundary's line and the line end behind the part.</summary>
    public byte[] Head => Encoding.UTF8.GetBytes(
        $"Content-Disposition: form-data; name=\"{Name}\"{(FileName is null ? "" : $"; filename=\"{FileName}\"")}\r\n"
        + (ContentType is null ? "" : $"Content-Type: {ContentType}\r\n") + "\r\n");
}

/// <summary>
/// Requests as the HTTP libraries below the public NanoNets clients write them: the order and the case of headers, boundaries, chunks, line
/// ends. Taken down with python-requests 2.34.2, urllib3 2.7.0, node-fetch 2 and form-data 4 and request 2.88 making the calls of those
/// clients; those of Go are written as its documentation says.
/// </summary>
internal abstract class ClientBytes(Uri host, string key)
{
    protected string Host { get; } = host.Authority;

    protected string Authorization { get; } = "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes(key + ":"));

    protected static byte[] Bytes(string head, params byte[] body) =>
        [.. Encoding.ASCII.GetBytes(head.ReplaceLineEndings("\r\n")), .. body];

    protected static byte[] Form(string boundary, IEnumerable<FormPart> parts) =>
        [.. parts.SelectMany(part => (byte[])[.. Encoding.ASCII.GetBytes($"--{boundary}\r\n"), .. part.Head, .. part.Bytes, .. "\r\n"u8]),
            .. Encoding.ASCII.GetBytes($"--{boundary}--\r\n")];
}

/// <summary>python-requests, below the wrapper and the sample scripts.</summary>
/// <param name="original">With <c>http_proxy</c> the request line is absolute and the Host header that of the original address.</param>
internal sealed class PythonRequests(Uri host, string key, string? original = null) : ClientBytes(host, key)
{
    private const string Boundary = "b7ca11146f307247ad0f86888759f337";

    public byte[] Get(string target) => Bytes($"""
        GET {Target(target)} HTTP/1.1
        Host: {original ?? Host}
        User-Agent: python-requests/2.34.2
        Accept-Encoding: gzip, deflate
        Accept: */*
        Connection: keep-alive
        Authorization: {Authorization}


        """);

    /// <summary><c>data=</c> with a text, which has no content type unless the caller names one, and then it stands before the
    /// length.</summary>
    public byte[] Post(string target, string text = "", string? contentType = null) => Bytes($"""
        POST {Target(target)} HTTP/1.1
        Host: {original ?? Host}
        User-Agent: python-requests/2.34.2
        Accept-Encoding: gzip, deflate
        Accept: */*
        Connection: keep-alive{(contentType is null ? "" : $"\nContent-Type: {contentType}")}
        Content-Length: {Encoding.UTF8.GetByteCount(text)}
        Authorization: {Authorization}


        """, Encoding.UTF8.GetBytes(text));

    /// <summary><c>data=</c> with a dictionary, and the odd Accept header of all these clients.</summary>
    public byte[] Fields(string target, string encoded, string accept = "accept") => Bytes($"""
        POST {Target(target)} HTTP/1.1
        Host: {original ?? Host}
        User-Agent: python-requests/2.34.2
        Accept-Encoding: gzip, deflate
        {accept}: application/x-www-form-urlencoded
        Connection: keep-alive
        Content-Length: {encoded.Length}
        Content-Type: application/x-www-form-urlencoded
        Authorization: {Authorization}


        """, Encoding.ASCII.GetBytes(encoded));

    /// <summary><c>files=</c>.</summary>
    public byte[] Files(string target, params IEnumerable<FormPart> parts)
    {
        var form = Form(Boundary, parts);
        return Bytes($"""
            POST {Target(target)} HTTP/1.1
            Host: {original ?? Host}
            User-Agent: python-requests/2.34.2
            Accept-Encoding: gzip, deflate
            Accept: */*
            Connection: keep-alive
            Content-Length: {form.Length}
            Content-Type: multipart/form-data; boundary={Boundary}
            Authorization: {Authorization}


            """, form);
    }

    private string Target(string path) => original is null ? path : $"http://{original}{path}";
}

/// <summary>urllib3 as the client uses it that swagger-codegen made.</summary>
internal sealed class SwaggerCodegen(Uri host, string key) : ClientBytes(host, key)
{
    private const string Boundary = "94e8a966c831401ad6a6cf6fe7b222a8";

    public byte[] Get(string target) => Bytes($"""
        GET {target} HTTP/1.1
        Host: {Host}
        Accept-Encoding: identity
        Accept: application/json
        User-Agent: Swagger-Codegen/1.0.0/python
        Authorization: {Authorization}
        Content-Type: application/json


        """);

    public byte[] Post(string target, string body, string contentType = "application/x-www-form-urlencoded") => Bytes($"""
        POST {target} HTTP/1.1
        Host: {Host}
        Accept-Encoding: identity
        Content-Length: {body.Length}
        Accept: application/json
        Content-Type: {contentType}
        User-Agent: Swagger-Codegen/1.0.0/python
        Authorization: {Authorization}


        """, Encoding.ASCII.GetBytes(body));

    public byte[] Multipart(string target, params IEnumerable<FormPart> parts)
    {
        var form = Form(Boundary, parts);
        return Bytes($"""
            POST {target} HTTP/1.1
            Host: {Host}
            Accept-Encoding: identity
            Content-Length: {form.Length}
            Accept: application/json
            User-Agent: Swagger-Codegen/1.0.0/python
            Authorization: {Authorization}
            Content-Type: multipart/form-data; boundary={Boundary}


            """, form);
    }
}

/// <summary>node-fetch and form-data, below the npm package.</summary>
internal sealed class NodeFetch(Uri host, string key) : ClientBytes(host, key)
{
    private const string Boundary = "--------------------------9557547bc0959dff48ba8a8b";
    private const int StreamChunk = 65_536; // what a file stream of Node reads at once

    public byte[] Get(string target) => Bytes($"""
        GET {target} HTTP/1.1
        Authorization: {Authorization}
        Accept: application/json
        User-Agent: node-fetch/1.0 (+https://github.com/bitinn/node-fetch)
        Accept-Encoding: gzip,deflate
        Host: {Host}
        Connection: keep-alive


        """);

    public byte[] Fields(string target, string encoded) => Bytes($"""
        POST {target} HTTP/1.1
        Authorization: {Authorization}
        Content-Type: application/x-www-form-urlencoded
        Accept: application/json
        Content-Length: {encoded.Length}
        User-Agent: node-fetch/1.0 (+https://github.com/bitinn/node-fetch)
        Accept-Encoding: gzip,deflate
        Host: {Host}
        Connection: keep-alive


        """, Encoding.ASCII.GetBytes(encoded));

    /// <summary>Chunked, each piece of the form in a chunk of its own.</summary>
    public byte[] Streamed(string target, params IEnumerable<FormPart> parts)
    {
        List<byte> body = [];
        foreach (var part in parts)
        {
            body.AddRange(Chunk([.. Encoding.ASCII.GetBytes($"--{Boundary}\r\n"), .. part.Head]));
            body.AddRange(part.Bytes.Chunk(StreamChunk).SelectMany(Chunk));
            if (part.FileName is not null)
            {
                body.AddRange(Chunk("\r\n"u8.ToArray()));
            }
        }

        body.AddRange(Chunk(Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n")));
        return Bytes($"""
            POST {target} HTTP/1.1
            Authorization: {Authorization}
            Accept: application/json
            Content-Type: multipart/form-data;boundary={Boundary}
            User-Agent: node-fetch/1.0 (+https://github.com/bitinn/node-fetch)
            Accept-Encoding: gzip,deflate
            Host: {Host}
            Connection: keep-alive
            Transfer-Encoding: chunked


            """, [.. body, .. "0\r\n\r\n"u8]);
    }

    private static byte[] Chunk(byte[] bytes) =>
        [.. Encoding.ASCII.GetBytes(bytes.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), .. bytes, .. "\r\n"u8];
}

/// <summary>request 2.88 of npm, below the Node sample for object detection.</summary>
internal sealed class NodeRequest(Uri host, string key) : ClientBytes(host, key)
{
    private const string Boundary = "--------------------------753931178873957136858853";

    public byte[] Json(string target, string json) => Bytes($"""
        POST {target} HTTP/1.1
        host: {Host}
        authorization: {Authorization}
        accept: application/json
        content-type: application/json
        content-length: {json.Length}
        Connection: keep-alive


        """, Encoding.ASCII.GetBytes(json));

    public byte[] Empty(string target) => Bytes($"""
        POST {target} HTTP/1.1
        host: {Host}
        authorization: {Authorization}
        content-length: 0
        Connection: keep-alive


        """);

    public byte[] Multipart(string target, params IEnumerable<FormPart> parts)
    {
        var form = Form(Boundary, parts);
        return Bytes($"""
            POST {target} HTTP/1.1
            host: {Host}
            authorization: {Authorization}
            content-type: multipart/form-data; boundary={Boundary}
            content-length: {form.Length}
            Connection: keep-alive


            """, form);
    }
}

/// <summary>net/http and mime/multipart, below the Go sample for object detection.</summary>
internal sealed class GoHttp(Uri host, string key) : ClientBytes(host, key)
{
    private const string Boundary = "5c4d8c4a1f0b9f6ad0cbf2de0e1ab6f7e3a9b1c2d3e4f5061728394a5b6c";

    public byte[] Get(string target) => Bytes($"""
        GET {target} HTTP/1.1
        Host: {Host}
        User-Agent: Go-http-client/1.1
        Authorization: {Authorization}
        Content-Type: application/json
        Accept-Encoding: gzip


        """);

    public byte[] Json(string target, string json) => Post(target, "application/json", Encoding.UTF8.GetBytes(json));

    public byte[] Multipart(string target, params IEnumerable<FormPart> parts) =>
        Post(target, $"multipart/form-data; boundary={Boundary}", Form(Boundary, parts));

    private byte[] Post(string target, string type, byte[] body) => Bytes($"""
        POST {target} HTTP/1.1
        Host: {Host}
        User-Agent: Go-http-client/1.1
        Content-Length: {body.Length}
        Authorization: {Authorization}
        Content-Type: {type}
        Accept-Encoding: gzip


        """, body);
}
