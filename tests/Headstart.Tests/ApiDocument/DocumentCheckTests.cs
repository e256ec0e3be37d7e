using System.Text;

namespace Headstart.Tests.ApiDocument;

/// <summary>What compares answers with the document finds what is wrong in them.</summary>
public sealed class DocumentCheckTests
{
    private readonly DocumentCheck _check = new(DocumentedOperation.ReadDocument());

    [Theory]
    [InlineData(200, """{"name":"k","ready":true}""", null)]
    [InlineData(200, """{"name":null,"ready":true}""", "/name")]
    [InlineData(200, """{"name":"k"}""", "ready")]
    [InlineData(200, """{"name":"k","ready":true,"more":1}""", "more")]
    [InlineData(200, "{", "no JSON")]
    [InlineData(418, "{}", "not documented")]
    public void An_answer_that_is_not_as_documented_is_found(int status, string body, string? wrong)
    {
        var operation = _check.Find("GET", "/v2/models/pets/ready")!;
        Assert.Equal("oipModelReady", operation.Id);

        var found = _check.Wrong(operation, status, "application/json", Encoding.UTF8.GetBytes(body));

        Assert.True(wrong is null ? found is null : found?.Contains(wrong, StringComparison.Ordinal), found);
    }

    [Fact]
    public void References_and_formats_are_followed()
    {
        var models = _check.Find("GET", "/api/v1/models")!;

        var found = _check.Wrong(models, 200, "application/json", Encoding.UTF8.GetBytes("""{"items":[{"id":"1"}],"next":null}"""));

        Assert.Contains("/items/0/id", found);
        Assert.Contains("/items/0 ", found);
    }
}
