namespace Headstart.Tests.Backbones;

internal static class BuiltInBackbone
{
    /// <summary>Puts the built-in backbone into a folder under other names, for tests that need several and no other network.</summary>
    public static void CopyTo(string folder, params string[] ids)
    {
        var builtIn = Path.Combine(AppContext.BaseDirectory, "backbones", "headstart-small");
        foreach (var id in ids)
        {
            File.Copy($"{builtIn}.onnx", Path.Combine(folder, $"{id}.onnx"));
            File.WriteAllText(Path.Combine(folder, $"{id}.json"), File.ReadAllText($"{builtIn}.json")
                .Replace("headstart-small", id, StringComparison.Ordinal));
        }
    }
}
