using Headstart.Backbones;
using Headstart.Configuration;
using Headstart.Errors;
using Headstart.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Headstart.Tests.Backbones;

public sealed class DeviceTests
{
    [Theory]
    [InlineData("gpu", "Headstart:Device is \"gpu\"; it must be auto, cpu or cuda.")]
    [InlineData("auto", null)]
    [InlineData("cpu", null)]
    [InlineData("cuda", null)]
    public void A_device_that_there_is_not_is_refused(string device, string? sentence) =>
        Assert.Equal(sentence, new Settings { Device = device }.Problem());

    [Fact]
    public void A_start_that_must_have_a_GPU_says_what_is_missing()
    {
        using var folder = new TemporaryFolder();
        var settings = new Settings { Device = "cuda" };
        using var backbones = new LoadedBackbones(settings, new(folder.Path), new(settings), NullLogger<LoadedBackbones>.Instance);

        var refusal = Assert.Throws<StartupException>(backbones.Open);

        Assert.Equal("Headstart:Device is cuda. This program was built without CUDA; build it with -p:Gpu=true. Or set it to auto or cpu.",
            refusal.Message);
    }
}
