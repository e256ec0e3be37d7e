using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Headstart.Pretraining;

/// <summary>
/// Trains the student to give the teacher's features at every place of its feature map: a map of 4 x 4 places teaches 16 times as much as
/// its average. The student begins as the teacher without every second residual block.
/// </summary>
public sealed class Distillation : IDisposable
{
    private const double WeightDecay = 0.02;
    private const double WarmUp = 0.03; // share of all steps
    private const int ForBatchNorm = 128; // images
    private const double AverageWeight = 4; // errors of places partly cancel in their average, so it weighs more

    private readonly PretrainingSettings _settings;
    private readonly Lessons _lessons;
    private readonly Progress _progress;
    private readonly AdamW _optimizer;
    private int _epoch;

    public Distillation(PretrainingSettings settings, Lessons lessons, Progress progress)
    {
        (_settings, _lessons, _progress) = (settings, lessons, progress);
        using var images = lessons.Prepare(progress);
        using var whole = new Student(lessons.Teacher.Steps, ScalarType.Float32);
        using var some = images.narrow(0, 0, Math.Min(ForBatchNorm, images.shape[0]));
        whole.Calibrate(some);
        Student = new Student(StudentPlan.Shorten(lessons.Teacher.Steps),
            settings.HalfPrecision ? ScalarType.BFloat16 : ScalarType.Float32);
        Student.Begin(whole);
        _optimizer = optim.AdamW(Student.parameters(), settings.LearningRate, weight_decay: WeightDecay);
    }

    public Student Student { get; }

    /// <summary>Trains to the end, resuming from the checkpoint if there is one.</summary>
    /// <param name="afterEpoch">Called with the number of epochs done.</param>
    /// <param name="cancel">Stops at the next batch; the current epoch is lost.</param>
    public void Run(Action<int> afterEpoch, CancellationToken cancel)
    {
        Resume();
        var batches = _lessons.Photographs / _settings.BatchSize;
        var each = (long)batches * _settings.BatchSize;
        _progress.Start("Learning", _settings.Epochs * each, _epoch * each);
        while (_epoch < _settings.Epochs)
        {
            Epoch(batches, cancel);
            _epoch++;
            Save();
            afterEpoch(_epoch);
        }
    }

    public void Dispose()
    {
        Student.Dispose();
        _optimizer.Dispose();
    }

    /// <summary>Shows each photograph once. All randomness comes from the seed and the epoch's number, so a resumed run gives the same
    /// result.</summary>
    private void Epoch(int batches, CancellationToken cancel)
    {
        Student.train();
        var order = Enumerable.Range(0, _lessons.Photographs).ToArray();
        new Random(unchecked(_settings.Seed * 7919 + _epoch)).Shuffle(order);
        var loss = 0.0;
        for (var batch = 0; batch < batches; batch++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            SetRate((_epoch + (double)batch / batches) / _settings.Epochs);
            var (images, maps) = _lessons.Batch([.. order.Skip(batch * _settings.BatchSize).Take(_settings.BatchSize)], _epoch + 1);
            using var uncollected = new Uncollected();
            _optimizer.zero_grad();
            var error = Loss(images, maps);
            error.backward();
            _optimizer.step();
            loss = batch == 0 ? error.item<float>() : 0.98 * loss + 0.02 * error.item<float>();
            _progress.Add(maps.Length, $"epoch {_epoch + 1} of {_settings.Epochs}, loss {loss:0.000}");
        }
    }

    private Tensor Loss(Tensor images, float[][] maps)
    {
        var seen = Student.forward(images).permute(0, 2, 3, 1).to(float32);
        var error = _lessons.Teacher.Components(seen - _lessons.Teacher.Map(maps, seen.shape[1]));
        return error.square().mean() + AverageWeight * error.mean([1, 2]).square().mean();
    }

    private void SetRate(double done)
    {
        var rate = done < WarmUp ? done / WarmUp : 0.5 * (1 + Math.Cos(Math.PI * (done - WarmUp) / (1 - WarmUp)));
        foreach (var group in _optimizer.ParamGroups)
        {
            group.LearningRate = _settings.LearningRate * rate;
        }
    }

    private string Checkpoint => Path.Combine(_settings.Output, "checkpoint");

    /// <summary>Writes a new folder beside the old one and renames it once it is complete: if the process dies here, one of the two is
    /// complete.</summary>
    private void Save()
    {
        var part = Checkpoint + ".part";
        Directory.CreateDirectory(part);
        Student.save(Path.Combine(part, "student.bin"));
        _optimizer.save_state_dict(Path.Combine(part, "optimizer.bin"));
        File.WriteAllText(Path.Combine(part, "epoch.txt"), $"{_epoch}");
        if (Directory.Exists(Checkpoint))
        {
            Directory.Move(Checkpoint, Checkpoint + ".old");
        }

        Directory.Move(part, Checkpoint);
        if (Directory.Exists(Checkpoint + ".old"))
        {
            Directory.Delete(Checkpoint + ".old", recursive: true);
        }
    }

    private void Resume()
    {
        if (!Directory.Exists(Checkpoint) && Directory.Exists(Checkpoint + ".old"))
        {
            Directory.Move(Checkpoint + ".old", Checkpoint);
        }

        if (Directory.Exists(Checkpoint))
        {
            Student.load(Path.Combine(Checkpoint, "student.bin"));
            _optimizer.load_state_dict(Path.Combine(Checkpoint, "optimizer.bin"));
            _epoch = int.Parse(File.ReadAllText(Path.Combine(Checkpoint, "epoch.txt")));
        }
    }
}
