using Headstart.Configuration;

namespace Headstart.Tests.NanoNets;

public sealed class OriginsTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("*", null)]
    [InlineData("https://shop.example; http://localhost:3000", null)]
    [InlineData("shop.example", "shop.example")]
    [InlineData("https://shop.example/", "https://shop.example/")]
    [InlineData("https://shop.example;nonsense", "nonsense")]
    public void An_origin_that_no_browser_would_send_fails_the_start_with_a_sentence(string origins, string? wrong)
    {
        var problem = new Settings { CorsOrigins = origins }.Problem();
        Assert.Equal(wrong is null ? null : $"Headstart:CorsOrigins has \"{wrong}\"; an origin is a scheme and a host, such as "
            + "https://shop.example, or * for all.", problem);
    }
}
