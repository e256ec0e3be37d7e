namespace Headstart.Configuration;

/// <summary>Everything under <c>Headstart:</c> in the configuration. The defaults work on a laptop.</summary>
public sealed class Settings
{
    /// <summary>Values of <see cref="Device"/>.</summary>
    public const string Auto = "auto", Cpu = "cpu", Cuda = "cuda";

    private const int MinSecret = 32;

    public string DataDirectory { get; set; } = "~/.headstart";

    /// <summary>A key that is valid from the first start. Without it the host creates one and prints it once.</summary>
    public string? BootstrapKey { get; set; }

    /// <summary>What this process does: <c>web</c>, <c>worker</c> or both.</summary>
    public string Roles { get; set; } = "web,worker";

    /// <summary>Where backbones run: <c>auto</c> (on a GPU if a usable one exists), <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; set; } = Auto;

    /// <summary>The path below which a proxy serves this host, such as <c>/headstart</c>; empty if the host has its own host
    /// name.</summary>
    public string PathBase { get; set; } = "";

    /// <summary>
    /// A secret that is the same on all web nodes of an installation: a user who signs in on one node is then signed in on all. Without it
    /// each node keeps its own keys in its data folder.
    /// </summary>
    public string? SharedSecret { get; set; }

    /// <summary>Serves Hangfire's dashboard at <c>/hangfire</c> to holders of an admin key.</summary>
    public bool Dashboard { get; set; }

    /// <summary>Who may read the metrics at <c>/metrics</c>.</summary>
    public MetricsAccess Metrics { get; set; }

    /// <summary>
    /// Web sites whose scripts may call this host from a browser (CORS): origins such as <c>https://shop.example</c> separated by <c>;</c>,
    /// or <c>*</c> for all. Empty for none.
    /// </summary>
    public string CorsOrigins { get; set; } = "";

    /// <summary>Logs a line for every request.</summary>
    public bool AccessLog { get; set; }

    public LocalPostgresOptions Postgres { get; set; } = new();

    public BlobSettings Blobs { get; set; } = new();

    public BackboneSettings Backbones { get; set; } = new();

    public UploadSettings Uploads { get; set; } = new();

    public FetchingSettings Fetching { get; set; } = new();

    public ImageSearchSettings ImageSearches { get; set; } = new();

    public TrainingSettings Training { get; set; } = new();

    public PredictionSettings Predictions { get; set; } = new();

    public BatchPredictionSettings BatchPredictions { get; set; } = new();

    public NanoNetsSettings NanoNets { get; set; } = new();

    public QuotaSettings Quotas { get; set; } = new();

    public AuditSettings Audit { get; set; } = new();

    public RateLimitSettings RateLimits { get; set; } = new();

    public ServerSettings Server { get; set; } = new();

    public bool HasRole(string role) => Roles
        .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Contains(role, StringComparer.OrdinalIgnoreCase);

    /// <summary><see cref="PathBase"/> with a leading slash and no trailing one.</summary>
    internal PathString Prefix => PathPrefix.Read(PathBase) ?? default;

    /// <summary>The list in <see cref="CorsOrigins"/>.</summary>
    public string[] Origins() => CorsOrigins.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The first mistake in the settings, as a sentence for the console; null if there is none.</summary>
    public string? Problem()
    {
        var roles = Roles.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (roles.Length == 0 || roles.Except(["web", "worker"], StringComparer.OrdinalIgnoreCase).Any())
        {
            return $"Headstart:Roles is \"{Roles}\"; it must be web, worker or web,worker.";
        }

        if (Device is not (Auto or Cpu or Cuda))
        {
            return $"Headstart:Device is \"{Device}\"; it must be {Auto}, {Cpu} or {Cuda}.";
        }

        if (BootstrapKey is { Length: > 0 } key && (key.Length > 200
            || key.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c == ':')))
        {
            return "Headstart:BootstrapKey must have at most 200 characters, without spaces and colons.";
        }

        if (SharedSecret is { Length: < MinSecret })
        {
            return $"Headstart:SharedSecret must have at least {MinSecret} characters; openssl rand -base64 32 makes a good one.";
        }

        if (Origins().FirstOrDefault(origin => origin != "*" && !IsOrigin(origin)) is { } wrong)
        {
            return $"Headstart:CorsOrigins has \"{wrong}\"; an origin is a scheme and a host, such as https://shop.example, or * for all.";
        }

        return Backbones.MaxUploadBytes is < 1 or > 1 << 30 ? "Headstart:Backbones:MaxUploadBytes must be between 1 and 1073741824 (1 GiB)."
            : NanoNets.MaxRequestBytes < 1 ? "Headstart:NanoNets:MaxRequestBytes must be at least 1."
            : Uploads.Problem() ?? Predictions.Problem(Uploads.MaxFileBytes) ?? BatchPredictions.Problem() ?? Fetching.Problem()
                ?? ImageSearches.Problem()
                ?? Training.Problem()
                ?? Blobs.Problem() ?? Quotas.Problem() ?? RateLimits.Problem() ?? Server.Problem() ?? PathPrefix.Problem(PathBase)
                    ?? (Audit.KeepDays is < 1 or > 36_500 ? "Headstart:Audit:KeepDays must be between 1 and 36500." : null);
    }

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.GetLeftPart(UriPartial.Authority)
        .Equals(text, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The audit log, which records who changed what.</summary>
public sealed class AuditSettings
{
    /// <summary>How long entries are kept.</summary>
    public int KeepDays { get; set; } = 365;
}

/// <summary>The NanoNets-compatible API.</summary>
public sealed class NanoNetsSettings
{
    /// <summary>Size limit of a request with files. It is buffered in the folder for temporary files, because its fields may come after the
    /// files.</summary>
    public long MaxRequestBytes { get; set; } = 1 << 30;
}

public sealed class BackboneSettings
{
    /// <summary>More read-only folders with backbones: a list, or one string with the folders separated by <c>;</c>.</summary>
    public IReadOnlyList<string> Directories { get; set; } = [];

    /// <summary>Whether to use the backbones that are packaged with the program, if the build included them.</summary>
    public bool Bundled { get; set; } = true;

    /// <summary>Whether workers automatically make 8-bit forms of backbones.</summary>
    public bool EightBit { get; set; } = true;

    /// <summary>Whether training runs and <c>backbones fetch</c> may download from the catalogue.</summary>
    public bool Download { get; set; } = true;

    /// <summary>A catalogue file that replaces the built-in one for downloads.</summary>
    public string? Catalogue { get; set; }

    /// <summary>The largest file that may be registered as a backbone.</summary>
    public long MaxUploadBytes { get; set; } = 500 << 20;

    /// <summary>Replaces scheme and host of the catalogue's URLs.</summary>
    public Uri? Mirror { get; set; }
}

/// <summary>How files are downloaded from URLs given by users.</summary>
public sealed class FetchingSettings
{
    /// <summary>Private hosts that may be fetched from; otherwise only public IP addresses are allowed.</summary>
    public IReadOnlyList<string> AllowedHosts { get; set; } = [];

    /// <summary>Time limit for one file.</summary>
    public double MaxSeconds { get; set; } = 30;

    /// <summary>Concurrent requests to one host.</summary>
    public int RequestsPerHost { get; set; } = 4;

    /// <summary>E-mail address or URL of the operator, sent in the User-Agent header, as Wikimedia requires.</summary>
    public string? Contact { get; set; }

    internal string UserAgent() => $"Headstart/{typeof(FetchingSettings).Assembly.GetName().Version!.ToString(2)} (image classifier; "
        + $"{(string.IsNullOrWhiteSpace(Contact) ? "run by its user" : Contact.Trim())})";

    internal string? Problem() =>
        MaxSeconds is not (> 0 and <= 3_600) ? "Headstart:Fetching:MaxSeconds must be more than 0 and at most 3600."
        : RequestsPerHost is < 1 or > 100 ? "Headstart:Fetching:RequestsPerHost must be between 1 and 100."
        : Contact is { } contact && (contact.Length > 200 || contact.Any(c => c is < ' ' or > '~' or '(' or ')'))
            ? "Headstart:Fetching:Contact must be an e-mail address or URL of at most 200 characters, without parentheses."
        : null;
}

/// <summary>Where to search for images on the web.</summary>
public sealed class ImageSearchSettings
{
    public string Openverse { get; set; } = "https://api.openverse.org/v1";

    public string Wikimedia { get; set; } = "https://commons.wikimedia.org/w/api.php";

    /// <summary>Maximum number of images per category in one search.</summary>
    public int MaxPerCategory { get; set; } = 500;

    internal string? Problem() =>
        !Uri.TryCreate(Openverse, UriKind.Absolute, out _) ? "Headstart:ImageSearches:Openverse must be a URL, such as "
            + "https://api.openverse.org/v1."
        : !Uri.TryCreate(Wikimedia, UriKind.Absolute, out _) ? "Headstart:ImageSearches:Wikimedia must be a URL, such as "
            + "https://commons.wikimedia.org/w/api.php."
        : MaxPerCategory is < 1 or > 10_000 ? "Headstart:ImageSearches:MaxPerCategory must be between 1 and 10000."
        : null;
}

/// <summary>Who may read <c>/metrics</c>.</summary>
public enum MetricsAccess
{
    /// <summary>Holders of an admin key: the metrics cover all accounts, and behind a proxy every request seems to come from this
    /// machine.</summary>
    AdminKey,

    Everybody,

    /// <summary>The endpoint does not exist.</summary>
    Nobody,
}

public sealed class PredictionSettings
{
    /// <summary>Files in one request.</summary>
    public int MaxFiles { get; set; } = 100;

    /// <summary>Texts in one request.</summary>
    public int MaxTexts { get; set; } = 1_000;

    /// <summary>Images that may wait for a core; further ones get 503 with Retry-After.</summary>
    public int MaxWaiting { get; set; } = 64;

    /// <summary>Memory for waiting files, in bytes.</summary>
    public long MaxWaitingBytes { get; set; } = 256 << 20;

    /// <summary>How long an image may wait before the answer is 503.</summary>
    public double MaxQueueSeconds { get; set; } = 10;

    /// <summary>Memory for feature vectors of recently predicted images, in bytes; 0 keeps none.</summary>
    public long FeatureCacheBytes { get; set; } = 64 << 20;

    /// <summary>Memory for the heads of versions in use, in bytes.</summary>
    public long HeadCacheBytes { get; set; } = 256 << 20;

    internal string? Problem(int maxFileBytes) =>
        MaxFiles < 1 ? "Headstart:Predictions:MaxFiles must be at least 1."
        : MaxTexts < 1 ? "Headstart:Predictions:MaxTexts must be at least 1."
        : MaxWaiting < 0 ? "Headstart:Predictions:MaxWaiting must not be negative."
        : MaxWaitingBytes < maxFileBytes ? $"Headstart:Predictions:MaxWaitingBytes must be at least {maxFileBytes} "
            + "(Headstart:Uploads:MaxFileBytes), or the largest file could never be queued."
        : MaxQueueSeconds is not (> 0 and <= 3_600) ? "Headstart:Predictions:MaxQueueSeconds must be more than 0 and at most 3600."
        : FeatureCacheBytes < 0 ? "Headstart:Predictions:FeatureCacheBytes must not be negative."
        : HeadCacheBytes < 0 ? "Headstart:Predictions:HeadCacheBytes must not be negative."
        : null;
}

public sealed class BatchPredictionSettings
{
    /// <summary>Images in one batch.</summary>
    public int MaxFiles { get; set; } = 20_000;

    /// <summary>The largest archive that is accepted.</summary>
    public long MaxZipBytes { get; set; } = 4L << 30;

    /// <summary>Total unpacked bytes of the files in an archive.</summary>
    public long MaxUnpackedBytes { get; set; } = 8L << 30;

    internal string? Problem() =>
        MaxFiles is < 1 or > 1_000_000 ? "Headstart:BatchPredictions:MaxFiles must be between 1 and 1000000."
        : MaxZipBytes < 1 ? "Headstart:BatchPredictions:MaxZipBytes must be at least 1."
        : MaxUnpackedBytes < 1 ? "Headstart:BatchPredictions:MaxUnpackedBytes must be at least 1."
        : null;
}

/// <summary>Whether a new version replaces the published one automatically.</summary>
public enum PublishRule
{
    /// <summary>Unless it is worse on the held-out images.</summary>
    WhenNotWorse,

    Always,

    /// <summary>Only a model's first version.</summary>
    Never,
}

public sealed class TrainingSettings
{
    public PublishRule Publish { get; set; }

    /// <summary>Training effort for detection models relative to the default: less is faster and finds fewer objects.</summary>
    public double DetectionEffort { get; set; } = 1;

    internal string? Problem() => DetectionEffort is not (> 0 and <= 10)
        ? "Headstart:Training:DetectionEffort must be more than 0 and at most 10." : null;
}
