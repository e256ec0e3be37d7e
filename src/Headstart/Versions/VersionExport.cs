using System.IO.Compression;
using System.Text;
using Headstart.Data;
using Headstart.Learning.Detection;
using Headstart.Learning.Export;

namespace Headstart.Versions;

/// <summary>A version as files for a program of one's own. The same version always gives the same bytes, as long as its model keeps its
/// name.</summary>
internal sealed class VersionExport(HeadCache heads, Cores cores, DataPaths paths)
{
    /// <summary>Takes one place among the predictions while it works: a network is in memory a few times until it is written.</summary>
    /// <returns>The zip from its beginning; gone when it is closed. null when too many predictions are waiting already.</returns>
    /// <exception cref="RefusedException">The head or its backbone is missing on this host.</exception>
    /// <exception cref="Learning.Backbones.BackboneException">The file of a backbone is gone or is another by now.</exception>
    /// <exception cref="ModelExportException">The version cannot be one ONNX model.</exception>
    public async Task<Stream?> WriteAsync(Model model, ModelVersion version, CancellationToken cancel)
    {
        var served = await heads.GetAsync(model.Id, version.Number, cancel)
            ?? throw new RefusedException(StatusCodes.Status409Conflict, "version-unavailable", "The version was deleted in the meantime.");
        return await cores.RunAsync(model.AccountId, bytes: 0, () => Write(model, version, served), cancel);
    }

    private FileStream Write(Model model, ModelVersion version, ServedVersion served)
    {
        var (onnx, readme) = served is ServedDetector detector
            ? (DetectionExport.Build(detector.Backbone, detector.Head, DetectionReadme.LeastProbability, About(model, version)),
                DetectionReadme.Of(model, version, detector))
            : Classifier((ServedClassifier)served);
        var file = Spool.Create(paths.Spool);
        try
        {
            using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
            {
                Add(zip, "model.onnx", onnx, CompressionLevel.NoCompression, version.CreatedAt); // weights look like noise
                Add(zip, "labels.txt", Encoding.UTF8.GetBytes(string.Concat(served.Labels.Select(label => label + "\n"))),
                    CompressionLevel.Optimal, version.CreatedAt);
                Add(zip, "README.md", Encoding.UTF8.GetBytes(readme), CompressionLevel.Optimal,
                    version.CreatedAt);
            }

            file.Position = 0;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }

        (byte[] Onnx, string Readme) Classifier(ServedClassifier classifier) =>
            (ModelExport.Build(classifier.Recipe, classifier.Head, classifier.Known, About(model, version)),
                ExportReadme.Of(model, version, classifier));
    }

    private static void Add(ZipArchive zip, string name, byte[] content, CompressionLevel level, DateTime at)
    {
        var entry = zip.CreateEntry(name, level);
        entry.LastWriteTime = new DateTimeOffset(at);
        using var stream = entry.Open();
        stream.Write(content);
    }

    private static Dictionary<string, string> About(Model model, ModelVersion version) => new()
    {
        ["model"] = model.Name,
        ["modelId"] = version.ModelId.ToString(),
        ["kind"] = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(model.Kind.ToString()),
        ["version"] = version.Number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ["headSha256"] = Convert.ToHexStringLower(version.Artifact),
    };
}
