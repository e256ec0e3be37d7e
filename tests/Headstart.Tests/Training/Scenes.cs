using System.Text.Json.Nodes;
using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Tests.Training;

/// <summary>Drawn pictures for detection models: red and blue rectangles on grey noise, whose places are known.</summary>
internal static class Scenes
{
    private const int Width = 160;
    private const int Height = 120;

    private static readonly (string Name, double[] Colour)[] Things = [("red", [220, 30, 30]), ("blue", [30, 60, 220])];

    /// <summary>A picture, as the API takes it: a file in base64 and its boxes.</summary>
    /// <param name="number">Each number is another one.</param>
    /// <param name="objects">How many are in it.</param>
    /// <param name="split">The side that a person gives it; null for none.</param>
    public static object Of(int number, int objects = 2, string? split = null)
    {
        var (file, boxes) = Draw(number, objects);
        return new { base64 = Convert.ToBase64String(file), fileName = $"{number}.png", boxes, split };
    }

    public static byte[] File(int number, int objects = 2) => Draw(number, objects).File;

    /// <summary>A new model of the kind, with so many pictures, ready to train.</summary>
    public static async Task<string> ScenesAsync(this HttpClient client, int pictures, string[]? categories = null, int firstNumber = 1)
    {
        var model = await client.NewDetectorAsync(categories ?? [.. Things.Select(thing => thing.Name)]);
        await client.AddScenesAsync(model, Enumerable.Range(firstNumber, pictures).Select(number => Of(number)));
        return model;
    }

    public static async Task<JsonArray> AddScenesAsync(this HttpClient client, string model, IEnumerable<object> images)
    {
        var answer = await (await client.PostAsync($"{model}/images", new { images })).JsonAsync();
        Assert.Empty(answer["rejected"]!.AsArray());
        return answer["accepted"]!.AsArray();
    }

    private static (byte[] File, List<object> Boxes) Draw(int number, int objects)
    {
        VipsRuntime.EnsureLoaded();
        var random = new Random(number);
        var boxes = new List<object>();
        using var noise = Image.Gaussnoise(Width, Height, sigma: 12, mean: 150, seed: number);
        using var grey = noise.Bandjoin(noise, noise);
        using var bytes = grey.Cast(Enums.BandFormat.Uchar);
        using var canvas = bytes.Copy(interpretation: Enums.Interpretation.Srgb);
        using var drawn = canvas.Mutate(picture =>
        {
            for (var i = 0; i < objects; i++)
            {
                var (name, colour) = Things[(number + i) % Things.Length];
                var (width, height) = (random.Next(32, 56), random.Next(32, 56));
                // One in each half, so that none hides another.
                var (left, top) = (random.Next(0, Width / 2 - width) + i % 2 * Width / 2, random.Next(0, Height - height));
                picture.DrawRect(colour, left, top, width, height, fill: true);
                boxes.Add(new
                {
                    category = name,
                    x = (double)left / Width,
                    y = (double)top / Height,
                    width = (double)width / Width,
                    height = (double)height / Height,
                });
            }
        });
        return (drawn.PngsaveBuffer(), boxes);
    }
}
