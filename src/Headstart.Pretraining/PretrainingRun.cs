using System.Security.Cryptography;
using System.Text.Json;
using Headstart.Learning.Backbones;
using Headstart.Learning.Native;
using TorchSharp;

namespace Headstart.Pretraining;

/// <summary>Makes a backbone with its manifest and model card from photographs and a teacher.</summary>
public static class PretrainingRun
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Resumes where an earlier call with the same settings stopped.</summary>
    /// <param name="settings">Inputs, output folder and hyperparameters.</param>
    /// <param name="progress">Shows the progress.</param>
    /// <param name="cancel">Stops at the next batch.</param>
    /// <param name="afterEpoch">Called with the number of epochs done, after each is safe on disk.</param>
    /// <returns>The model card.</returns>
    /// <exception cref="OperationCanceledException">Stopped; the last finished epoch is kept.</exception>
    /// <exception cref="BackboneException">A teacher cannot be used.</exception>
    /// <exception cref="IOException">Photographs cannot be read, or results not written.</exception>
    public static string Execute(PretrainingSettings settings, Progress progress, CancellationToken cancel, Action<int>? afterEpoch = null)
    {
        TorchRuntime.EnsureLoaded();
        torch.set_num_threads(settings.Threads);
        Directory.CreateDirectory(settings.Output);
        var backbone = Path.Combine(settings.Output, $"{settings.Id}.onnx");
        var photographs = Photographs.Open(settings.Photographs.Split(','), settings.Limit);
        using var teacher = Teacher.Open(TeacherFile(settings.Teacher), settings.Output);
        using var distillation = new Distillation(settings, new Lessons(settings, photographs, teacher), progress);
        distillation.Run(epoch =>
        {
            if (epoch % settings.ProbeEvery == 0 && epoch < settings.Epochs)
            {
                Write(settings, teacher, distillation.Student, backbone);
                Probe();
            }

            afterEpoch?.Invoke(epoch);
        }, cancel);
        Write(settings, teacher, distillation.Student, backbone);
        var card = ModelCard.Of(settings, photographs.Count, teacher.Manifest, distillation.Student, Probe(), backbone);
        File.WriteAllText(Path.ChangeExtension(backbone, ".md"), card);
        return card;

        List<Figure> Probe() => settings.Probes.Length == 0 ? [] : LinearProbe.Figures(backbone, settings, progress, cancel);
    }

    private static BackboneFile TeacherFile(string path)
    {
        var (found, problems) = BackboneFolders.Find([Path.GetDirectoryName(Path.GetFullPath(path))!]);
        return found.FirstOrDefault(file => file.Path == Path.GetFullPath(path))
            ?? throw new BackboneException($"{path} cannot be a teacher. {string.Join(' ', problems)}");
    }

    private static void Write(PretrainingSettings settings, Teacher teacher, Student student, string path)
    {
        var onnx = StudentExport.ToOnnx(student);
        var p = teacher.Manifest.Preprocessing;
        File.WriteAllBytes(path, onnx);
        File.WriteAllText(Path.ChangeExtension(path, ".json"), JsonSerializer.Serialize(new
        {
            settings.Id,
            family = $"{teacher.Manifest.Id}, shortened and distilled",
            features = student.Features,
            inputSize = settings.ReadSize,
            mean = p.Mean,
            std = p.Std,
            source = "distilled by Headstart.Pretraining; see the model card",
            licence = teacher.Manifest.Licence, // the weights began as the teacher's
            sha256 = Convert.ToHexStringLower(SHA256.HashData(onnx)),
            bytes = onnx.Length,
        }, Indented));
    }
}
