namespace Headstart.Operations;

/// <summary>Where things are below the data folder.</summary>
public sealed record DataPaths(string Root)
{
    public string Backbones => Path.Combine(Root, "backbones");

    public string Blobs => Path.Combine(Root, "blobs");
}
