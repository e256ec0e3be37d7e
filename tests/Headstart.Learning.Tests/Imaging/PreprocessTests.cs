using Headstart.Learning.Imaging;
using NetVips;

namespace Headstart.Learning.Tests.Imaging;

public sealed class PreprocessTests
{
    private static readonly Preprocessing Plain = new(32, [0, 0, 0], [1, 1, 1]);

    [Fact]
    public void Values_are_scaled_shifted_and_laid_out_in_planes()
    {
        var p = new Preprocessing(16, [0.5f, 0.25f, 0], [0.5f, 0.25f, 2]);

        var chw = Read(Pictures.Png(40, 20, 255, 0, 51), p);

        Assert.All(chw[..256], red => Assert.Equal(1, red, 1e-5));
        Assert.All(chw[256..512], green => Assert.Equal(-1, green, 1e-5));
        Assert.All(chw[512..], blue => Assert.Equal(0.1, blue, 1e-5));
    }

    [Fact]
    public void The_centre_of_the_longer_side_is_kept()
    {
        using var left = Pictures.Plain(32, 32, 255, 0, 0);
        using var middle = Pictures.Plain(32, 32, 0, 255, 0);
        using var right = Pictures.Plain(32, 32, 0, 0, 255);
        using var image = Image.Arrayjoin([left, middle, right], across: 3);

        var (red, green, blue) = Means(image.PngsaveBuffer());

        Assert.Equal((0, 1, 0), (Math.Round(red, 2), Math.Round(green, 2), Math.Round(blue, 2)));
    }

    [Fact]
    public void Transparent_becomes_white() => AssertColour((1, 1, 1), Pictures.Png(20, 20, 10, 20, 30, 0));

    [Fact]
    public void Half_transparent_black_becomes_grey() => AssertColour((0.5, 0.5, 0.5), Pictures.Png(20, 20, 0, 0, 0, 128));

    [Fact]
    public void Grey_and_grey_with_alpha_get_three_channels()
    {
        AssertColour((0.4, 0.4, 0.4), Pictures.Png(20, 20, 102));
        AssertColour((1, 1, 1), Pictures.Png(20, 20, 102, 0));
    }

    [Theory]
    [InlineData(Enums.Interpretation.Rgb16, 3)]
    [InlineData(Enums.Interpretation.Grey16, 1)]
    public void Sixteen_bits_are_scaled_to_eight(Enums.Interpretation interpretation, int bands)
    {
        using var eight = Pictures.Plain(20, 20, [.. Enumerable.Repeat(1.0, bands)]);
        using var sixteen = eight * 26214; // 0.4 of 65535
        using var cast = sixteen.Cast(Enums.BandFormat.Ushort);
        using var image = cast.Copy(interpretation: interpretation);

        AssertColour((0.4, 0.4, 0.4), image.PngsaveBuffer());
        AssertColour((0.4, 0.4, 0.4), image.TiffsaveBuffer());
    }

    [Fact]
    public void Cmyk_is_converted()
    {
        // The sample shows a light red word on a dark blue ground; read as if it were RGB it would be light.
        var (red, green, blue) = Means(SharedData.OddFile("pil_sample_cmyk.jpg"));

        Assert.InRange(red, 0.15, 0.35);
        Assert.InRange(green, 0.08, 0.25);
        Assert.InRange(blue, 0.12, 0.28);
    }

    [Fact]
    public void All_exif_orientations_look_like_each_other()
    {
        var upright = Read(SharedData.OddFile("hopper.tif"), SharedData.ImageNet);
        foreach (var name in (string[])["2.jpg", "3.jpg", "5.jpg", "6.jpg", "8.jpg", "6.webp"])
        {
            var turned = Read(SharedData.OddFile($"hopper_orientation_{name}"), SharedData.ImageNet);
            Assert.True(Difference(upright, turned) < 0.25, $"{name} differs by {Difference(upright, turned)} standard deviations.");
        }

        Assert.True(Difference(upright, [.. upright.Reverse()]) > 0.7, "An image turned around would be noticed.");
    }

    [Fact]
    public void The_size_is_told_as_a_person_sees_it()
    {
        foreach (var turned in (int[])[3, 5, 6, 8])
        {
            Assert.Null(ImageReader.Check(SharedData.OddFile($"exif_landscape_{turned}.jpg"), new ImageLimits(), out var info));
            Assert.Equal((1800, 1200, "image/jpeg"), (info!.Width, info.Height, info.MediaType));
        }
    }

    [Fact]
    public void An_embedded_profile_is_applied()
    {
        using var red = Pictures.Plain(20, 20, 200, 50, 50);
        using var wide = red.IccTransform("p3", embedded: false, inputProfile: "srgb");

        AssertColour((200 / 255.0, 50 / 255.0, 50 / 255.0), wide.PngsaveBuffer());
    }

    [Fact]
    public void A_thumbnail_fits_its_square_and_is_never_enlarged()
    {
        Assert.Null(ImageReader.Check(ImageReader.Thumbnail(Pictures.Png(200, 100, 1, 2, 3), 50), new ImageLimits(), out var info));
        Assert.Equal((50, 25, "image/jpeg"), (info!.Width, info.Height, info.MediaType));
        Assert.Null(ImageReader.Check(ImageReader.Thumbnail(Pictures.Png(20, 10, 1, 2, 3), 50), new ImageLimits(), out info));
        Assert.Equal((20, 10, "image/jpeg"), (info!.Width, info.Height, info.MediaType));
    }

    [Fact]
    public void The_same_numbers_make_equal_recipes_with_equal_ids()
    {
        var one = new Preprocessing(224, [0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

        Assert.Equal(SharedData.ImageNet, one);
        Assert.Equal(SharedData.ImageNet.GetHashCode(), one.GetHashCode());
        Assert.Equal("centre224-a0bc4571-v2", one.Id); // part of stored keys: must never change
        Assert.Equal("centre224-a0bc4571-v1", (one with { Version = 1 }).Id);
        Assert.NotEqual(one, one with { Version = 1 });
        Assert.NotEqual(one.Id, (one with { Mean = [0.5f, 0.5f, 0.5f] }).Id);
        Assert.NotEqual(one, one with { Size = 225 });
    }

    private static void AssertColour((double Red, double Green, double Blue) expected, byte[] image)
    {
        var (red, green, blue) = Means(image);
        Assert.Equal(expected.Red, red, 0.01);
        Assert.Equal(expected.Green, green, 0.01);
        Assert.Equal(expected.Blue, blue, 0.01);
    }

    private static (double Red, double Green, double Blue) Means(byte[] image)
    {
        var chw = Read(image, Plain);
        return (chw[..1024].Average(), chw[1024..2048].Average(), chw[2048..].Average());
    }

    private static float[] Read(byte[] image, Preprocessing p)
    {
        var chw = new float[p.Length];
        ImageReader.Preprocess(image, p, chw);
        return chw;
    }

    private static double Difference(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Average();
}
