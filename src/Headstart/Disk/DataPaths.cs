namespace Headstart.Disk;

/// <summary>Paths below the data folder.</summary>
public sealed record DataPaths(string Root)
{
    public string Backbones => Path.Combine(Root, "backbones");

    /// <summary>Backbones that users registered; only these can be deleted over the API.</summary>
    public string RegisteredBackbones => Path.Combine(Backbones, "registered");

    /// <summary>Word vectors that users registered.</summary>
    public string RegisteredTexts => Path.Combine(RegisteredBackbones, "text");

    /// <summary>Keys of ASP.NET Core's data protection (cookies, antiforgery).</summary>
    public string Keys => Path.Combine(Root, "keys");

    public string Blobs => Path.Combine(Root, "blobs");

    /// <summary>Bodies of unfinished imports.</summary>
    public string ImportSources => Path.Combine(Root, "imports");

    /// <summary>Bodies while they are read, in files without a name, see <see cref="Disk.Spool"/>.</summary>
    public string Spool => Path.Combine(Root, "spool");
}
