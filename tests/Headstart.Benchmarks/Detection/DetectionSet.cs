using System.Text.Json;
using Headstart.Learning.Detection;

namespace Headstart.Benchmarks.Detection;

/// <summary>A set in COCO's format: <c>images/</c>, and one file per part.</summary>
internal static class DetectionSet
{
    public static (string[] Categories, DetectionExample[] Examples) Read(string folder, string part)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, $"{part}.json")));
        var root = document.RootElement;
        var categories = root.GetProperty("categories").EnumerateArray()
            .Select(category => (Id: category.GetProperty("id").GetInt32(), Name: category.GetProperty("name").GetString()!)).ToList();
        var boxes = root.GetProperty("annotations").EnumerateArray().ToLookup(box => box.GetProperty("image_id").GetInt32());
        return ([.. categories.Select(category => category.Name)], [.. root.GetProperty("images").EnumerateArray().Select(image =>
        {
            var (width, height) = (image.GetProperty("width").GetSingle(), image.GetProperty("height").GetSingle());
            var path = Path.Combine(folder, "images", image.GetProperty("file_name").GetString()!);
            return new DetectionExample([.. boxes[image.GetProperty("id").GetInt32()].Select(box =>
            {
                float[] side = [.. box.GetProperty("bbox").EnumerateArray().Select(value => value.GetSingle())];
                return new LabelledBox(categories.FindIndex(category => category.Id == box.GetProperty("category_id").GetInt32()),
                    new Box(side[0] / width, side[1] / height, side[2] / width, side[3] / height).Clip(),
                    box.TryGetProperty("iscrowd", out var crowd) && crowd.GetInt32() == 1);
            })], () => File.ReadAllBytes(path));
        })]);
    }
}
