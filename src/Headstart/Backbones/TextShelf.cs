using Headstart.Learning.Texts;
using Headstart.Operations;

namespace Headstart.Backbones;

/// <summary>
/// Pretrained knowledge of words that lies in the backbone folders or in their folder <c>text</c>: word vectors and sentence networks, shared by every
/// model of texts. Looked for when it is first wanted.
/// </summary>
public sealed partial class TextShelf(Settings settings, DataPaths paths, ILogger<TextShelf> log) : IDisposable
{
    private readonly Lock _gate = new();
    private IReadOnlyList<RegisteredText>? _all;

    public IReadOnlyList<RegisteredText> All
    {
        get
        {
            lock (_gate)
            {
                return _all ??= Find();
            }
        }
    }

    private IReadOnlyList<RegisteredText> Find()
    {
        var (found, problems) = RegisteredText.Find([.. settings.Backbones.Directories, paths.Backbones]);
        foreach (var problem in problems)
        {
            Log.Problem(log, problem);
        }

        return found;
    }

    public void Dispose()
    {
        foreach (var text in _all ?? [])
        {
            text.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
        public static partial void Problem(ILogger log, string problem);
    }
}
