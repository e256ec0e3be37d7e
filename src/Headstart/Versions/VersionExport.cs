using System.IO.Compression;
using System.Text;
using Headstart.Data;
using Headstart.Learning.Detection;
using Headstart.Learning.Export;

namespace Headstart.Versions;

/// <summary>A version as files for a user's own program. The same version always gives the same bytes while its model keeps its
/// name.</summary>
internal sealed class VersionExport(ServableVersions versions, Cores cores, DataPaths paths)
{
    /// <summary>Waits for a core like a prediction, because memory holds the network several times until it is written.</summary>
    /// <returns>The zip from its start; closing it deletes it. null if too many predictions are waiting.</returns>
    /// <exception cref="RefusedException">The head or its backbone is missing on this host.</exception>
    /// <exception cref="Learning.Backbones.BackboneException">The file of a backbone is gone or has been replaced.</exception>
    /// <exception cref="ModelExportException">The version cannot be expressed as one ONNX model.</exception>
    public async Task<Stream?> WriteAsync(Model model, ModelVersion version, CancellationToken cancel)
    {
        var served = await versions.LoadAsync(model.Id, version.Number, cancel)
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
