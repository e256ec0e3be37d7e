using System.Text;

namespace Headstart.Tests.Uploads;

/// <summary>A multipart body written by hand, so that it can be as odd as those of real clients.</summary>
internal sealed class Form
{
    public const string Boundary = "a-boundary";

    private readonly List<byte> _body = [];

    public byte[] Bytes => [.. _body, .. Encoding.UTF8.GetBytes($"--{Boundary}--\r\n")];

    /// <summary>Without the line that ends it.</summary>
    public byte[] Unfinished => [.. _body];

    public Form Field(string name, string value) => Part($"form-data; name=\"{name}\"", Encoding.UTF8.GetBytes(value));

    public Form File(string fileName, byte[] bytes) => Part($"form-data; name=\"file\"; filename=\"{fileName}\"", bytes);

    public Form Part(string? disposition, byte[] bytes)
    {
        var header = disposition is null ? "" : $"Content-Disposition: {disposition}\r\n";
        _body.AddRange(Encoding.UTF8.GetBytes($"--{Boundary}\r\n{header}\r\n"));
        _body.AddRange(bytes);
        _body.AddRange("\r\n"u8);
        return this;
    }

    public ByteArrayContent Content() => Of(Bytes);

    public static ByteArrayContent Of(byte[] body, string contentType = "multipart/form-data; boundary=" + Boundary)
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return content;
    }
}
