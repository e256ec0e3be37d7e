using Headstart.Tests;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Tests.Imaging;

[Collection(Alone.Name)]
public sealed class DecoderMemoryTests
{
    private static readonly byte[][] Files = [FormatsTests.Picture("cat.heic"), FormatsTests.Picture("upright.jxl"),
        FormatsTests.Picture("upright.jp2"), FormatsTests.Bitmap(), FormatsTests.Picture("cat.heic")[..4000],
        FormatsTests.Picture("upright.jp2")[..600]];

    [Fact]
    public void Pixels_of_other_decoders_are_given_back()
    {
        Needs.Time();
        Decode(20); // what the libraries keep for themselves
        var before = Memory.Resident();

        Decode(100);

        Assert.InRange(Memory.Resident() - before, long.MinValue, 15 * Memory.MiB); // kept, they would be 45 MB
    }

    private static void Decode(int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            foreach (var file in Files)
            {
                ImageReader.Check(file, new ImageLimits(), out _);
            }
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
