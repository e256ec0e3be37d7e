using System.Security.Cryptography;
using System.Text.Json;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Native;
using Headstart.Pretraining;
using Microsoft.Extensions.Configuration;
using TorchSharp;

var settings = new ConfigurationBuilder().AddCommandLine(args).Build().Get<PretrainingSettings>();
if (settings is not { Photographs: not null, Teachers: not null, Output: not null })
{
    Console.Error.WriteLine("Needed: --photographs FOLDERS-OR-ZIPS --teachers FILES.onnx --output FOLDER; useful: --probes FOLDERS --epochs N --seed N.");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
TorchRuntime.EnsureLoaded();
torch.set_num_threads(settings.Threads);
Directory.CreateDirectory(settings.Output);
var progress = new Progress();
try
{
    var backbone = Path.Combine(settings.Output, $"{settings.Id}.onnx");
    var photographs = Photographs.Open(settings.Photographs.Split(','), settings.Limit);
    var teachers = TeacherFiles(settings.Teachers.Split(',')).Select(file => Teacher.Open(file, settings.Output)).ToList();
    using var lessons = Lessons.Prepare(settings, photographs, teachers, progress);
    teachers.ForEach(teacher => teacher.Dispose());
    using var distillation = new Distillation(settings, lessons, progress);
    distillation.Run(epoch =>
    {
        if (epoch % settings.ProbeEvery == 0 && epoch < settings.Epochs)
        {
            Write(distillation.Student);
            Probe();
        }
    }, stop.Token);
    Write(distillation.Student);
    var figures = Probe();
    File.WriteAllText(Path.Combine(settings.Output, $"{settings.Id}.md"), ModelCard.Of(settings, photographs.Count, teachers, figures, backbone));
    Console.WriteLine(File.ReadAllText(Path.Combine(settings.Output, $"{settings.Id}.md")));
    return 0;

    void Write(Student student)
    {
        var bytes = StudentExport.ToOnnx(student);
        File.WriteAllBytes(backbone, bytes);
        File.WriteAllText(Path.ChangeExtension(backbone, ".json"), Manifest(settings, bytes));
    }

    List<Figure> Probe() => settings.Probes.Length == 0 ? [] : LinearProbe.Figures(backbone, settings, progress, stop.Token);
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("\nStopped. The same command goes on from the last finished epoch.");
    return 130;
}
catch (Exception exception) when (exception is IOException or BackboneException or ImageRefusedException)
{
    Console.Error.WriteLine($"\n{exception.Message}");
    return 1;
}

static List<BackboneFile> TeacherFiles(string[] paths)
{
    var (found, problems) = BackboneFolders.Find(paths.Select(path => Path.GetDirectoryName(Path.GetFullPath(path))!).Distinct());
    return [.. paths.Select(path => found.FirstOrDefault(file => file.Path == Path.GetFullPath(path))
        ?? throw new BackboneException($"{path} cannot be a teacher. {string.Join(' ', problems)}"))];
}

static string Manifest(PretrainingSettings settings, byte[] onnx)
{
    var p = StudentPreprocessing.At(settings.InputSize);
    return JsonSerializer.Serialize(new
    {
        settings.Id,
        family = "residual network of Headstart's own",
        features = Student.Features,
        inputSize = p.Size,
        mean = p.Mean,
        std = p.Std,
        source = "distilled by Headstart.Pretraining; see the model card",
        licence = "Apache-2.0",
        sha256 = Convert.ToHexStringLower(SHA256.HashData(onnx)),
        bytes = onnx.Length,
    }, new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true });
}
