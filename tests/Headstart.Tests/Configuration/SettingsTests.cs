using Headstart.Errors;
using Headstart.Hosting;
using Microsoft.AspNetCore.Builder;

namespace Headstart.Tests.Configuration;

/// <summary>What a setting may be. What the program says of a refusal is in StartAndStopTests.</summary>
public sealed class SettingsTests
{
    [Theory]
    [InlineData("Headstart:BootstrapKey", "with a blank", "Headstart:BootstrapKey")]
    [InlineData("Headstart:Uploads:MaxFileBytes", "lots", "Headstart:Uploads:MaxFileBytes")]
    [InlineData("Headstart:Uploads:AtOnceFiles", "6000", "Headstart:Uploads:MaxFiles")]
    [InlineData("Headstart:Uploads:MaxRows", "0", "Headstart:Uploads:MaxRows")]
    [InlineData("Headstart:Backbones:MaxUploadBytes", "0", "Headstart:Backbones:MaxUploadBytes")]
    [InlineData("Headstart:PathBase", "https://example.com/headstart", "Headstart:PathBase")]
    public void A_setting_that_cannot_be_used_is_refused_by_its_name(string name, string value, string named)
    {
        var builder = WebApplication.CreateBuilder([$"--{name}={value}"]);

        var refusal = Assert.Throws<StartupException>(() => builder.ReadSettings());

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }
}
