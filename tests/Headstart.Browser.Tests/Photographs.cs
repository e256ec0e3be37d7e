using Headstart.Learning.Imaging;
using Headstart.Tests.Postgres;
using Microsoft.Playwright;

namespace Headstart.Browser.Tests;

/// <summary>Image files, dropped on a page as a person would.</summary>
internal static class Photographs
{
    /// <summary>Drops files on an element.</summary>
    public static async Task DropAsync(this ILocator place, IEnumerable<string> files)
    {
        var data = await place.Page.EvaluateHandleAsync("""
            files => {
              const data = new DataTransfer();
              for (const { name, bytes } of files) data.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], name, { type: 'image/jpeg' }));
              return data;
            }
            """, files.Select(file => new { name = Path.GetFileName(file), bytes = Convert.ToBase64String(File.ReadAllBytes(file)) }).ToArray());
        await place.DispatchEventAsync("drop", new { dataTransfer = data });
    }

    /// <summary>A folder with two folders of tiny pictures, no two alike.</summary>
    /// <param name="folder">Where to create it.</param>
    /// <param name="count">The number of pictures in both together.</param>
    /// <param name="seed">Different seeds give different pictures.</param>
    public static string Draw(TemporaryFolder folder, int count, int seed)
    {
        const int Side = 32;
        var random = new Random(seed);
        var root = folder.Below($"pictures-{seed}");
        var pixels = new byte[3 * Side * Side];
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(pixels);
            var category = Directory.CreateDirectory(Path.Combine(root, i % 2 == 0 ? "noise" : "static")).FullName;
            File.WriteAllBytes(Path.Combine(category, $"{i}.png"), ImageReader.Png(pixels, Side, Side));
        }

        return root;
    }
}
