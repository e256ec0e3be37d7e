using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;

namespace Headstart.Learning.Tests.Detection;

public sealed class DetectorBackboneTests
{
    [Theory]
    [InlineData("headstart-small", 192, 576, 1280)]
    [InlineData("resnet18-mlnet", 128, 256, 512)]
    public void A_convolutional_network_gives_the_maps_of_three_strides(string id, params int[] channels)
    {
        using var backbone = DetectorBackbone.Open(Find(id, [BackboneFolders.BuiltIn, BackboneFolders.Bundled]), threads: 1);

        Assert.Equal(channels, backbone.Channels);
        using var maps = backbone.Read(new float[3 * 96 * 160], width: 160, height: 96);
        Assert.Equal([channels[0] * 12 * 20, channels[1] * 6 * 10, channels[2] * 3 * 5],
            Enumerable.Range(0, 3).Select(level => maps.Map(level).Length));
    }

    [Theory]
    [InlineData("mobilenetv2-1.0")]
    [InlineData("mobilenet-edgetpu-1.0")]
    public void The_shared_ones_do_too(string id)
    {
        using var backbone = DetectorBackbone.Open(Find(id, [SharedData.Folder("backbones")]), threads: 1);
        Assert.Equal(3, backbone.Channels.Count);
    }

    [Fact]
    public void A_network_without_the_last_stage_is_refused_with_a_sentence()
    {
        var file = Find("squeezenet1.1", [SharedData.Folder("backbones")]);
        var refused = Assert.Throws<BackboneException>(() => DetectorBackbone.Open(file, threads: 1));
        Assert.Contains("has no stages whose maps are an 8th, a 16th and a 32nd of the image", refused.Message);
    }

    internal static BackboneFile Find(string id, IEnumerable<string> folders)
    {
        var file = BackboneFolders.Find(folders).Found.FirstOrDefault(found => found.Manifest.Id == id);
        Assert.SkipWhen(file is null, $"There is no backbone {id}.");
        return file!;
    }
}
