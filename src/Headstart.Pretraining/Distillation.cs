using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Headstart.Pretraining;

/// <summary>
/// Teaches the student to say at every place of its feature map what the teachers say there, through one linear layer that is thrown away
/// afterwards. 49 places are 49 lessons an image where the averaged features are one.
/// </summary>
public sealed class Distillation : IDisposable
{
    private const double WeightDecay = 0.02;
    private const double WarmUp = 0.03; // share of all steps
    private const double AverageWeight = 4; // errors of places partly cancel in their average, so it weighs more
    private const double FullSizeFrom = 0.7; // share of the epochs after which whole views are used

    private readonly PretrainingSettings _settings;
    private readonly Lessons _lessons;
    private readonly Progress _progress;
    private readonly Linear _answer;
    private readonly AdamW _optimizer;
    private int _epoch;

    public Distillation(PretrainingSettings settings, Lessons lessons, Progress progress)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(lessons);
        (_settings, _lessons, _progress) = (settings, lessons, progress);
        random.manual_seed(settings.Seed);
        Student = new Student(settings.HalfPrecision ? ScalarType.BFloat16 : ScalarType.Float32);
        _answer = Linear(Headstart.Pretraining.Student.Features, lessons.Answers.shape[3]);
        _optimizer = optim.AdamW(Student.parameters().Concat(_answer.parameters()), settings.LearningRate, weight_decay: WeightDecay);
    }

    public Student Student { get; }

    /// <summary>Trains to the end, going on from the checkpoint if there is one.</summary>
    /// <param name="afterEpoch">Called with the number of epochs done.</param>
    /// <param name="cancel">Stops at the next batch; the epoch in hand is lost.</param>
    public void Run(Action<int> afterEpoch, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(afterEpoch);
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
        _answer.Dispose();
        _optimizer.Dispose();
    }

    /// <summary>One view of each photograph. All randomness comes from the seed and the epoch's number, so that a resumed run is the same run.</summary>
    private void Epoch(int batches, CancellationToken cancel)
    {
        Student.train();
        var random = new Random(unchecked(_settings.Seed * 7919 + _epoch));
        torch.random.manual_seed(random.Next());
        var order = Enumerable.Range(0, _lessons.Photographs).ToArray();
        random.Shuffle(order);
        var loss = 0.0;
        for (var batch = 0; batch < batches; batch++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            SetRate((_epoch + (double)batch / batches) / _settings.Epochs);
            long[] rows = [.. order.Skip(batch * _settings.BatchSize).Take(_settings.BatchSize)
                .Select(i => (long)random.Next(_lessons.Views) * _lessons.Photographs + i)];
            var (images, answers) = Lesson(rows, random);
            _optimizer.zero_grad();
            var error = Loss(images, answers);
            error.backward();
            _optimizer.step();
            loss = batch == 0 ? error.item<float>() : 0.98 * loss + 0.02 * error.item<float>();
            _progress.Add(rows.Length, $"epoch {_epoch + 1} of {_settings.Epochs}, loss {loss:0.000}");
        }
    }

    /// <summary>Some rows, mirrored or not, with their colours disturbed; for most of the training a window of 6 x 6 places, which is cheaper.</summary>
    private (Tensor Images, Tensor Answers) Lesson(long[] rows, Random random)
    {
        using var scope = NewDisposeScope();
        using var indices = tensor(rows);
        var images = _lessons.Batch(indices);
        var answers = _lessons.Answers.index_select(0, indices);
        if (_epoch < FullSizeFrom * _settings.Epochs)
        {
            var cells = answers.shape[1] - 1;
            var side = 16 * cells;
            var (top, left) = (random.Next(2), random.Next(2));
            images = images.narrow(2, 16 * top, side).narrow(3, 16 * left, side);
            answers = answers.narrow(1, top, cells).narrow(2, left, cells);
        }

        if (random.Next(2) == 1)
        {
            images = images.flip(3);
            answers = answers.flip(2);
        }

        // Brightness, contrast and tint of each image.
        images = images * empty(rows.Length, 3, 1, 1).uniform_(0.75, 1.25) + empty(rows.Length, 1, 1, 1).uniform_(-0.3, 0.3);
        return (images.MoveToOuterDisposeScope(), answers.to(float32).MoveToOuterDisposeScope());
    }

    private Tensor Loss(Tensor images, Tensor answers)
    {
        var map = Student.forward(images).permute(0, 2, 3, 1);
        var said = functional.linear(map, _answer.weight.to(map.dtype)).to(float32) + _answer.bias!;
        var error = said - answers;
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

    /// <summary>A folder that is written beside the old one and takes its name when it is whole: whatever happens, one of them is there.</summary>
    private void Save()
    {
        var part = Checkpoint + ".part";
        Directory.CreateDirectory(part);
        Student.save(Path.Combine(part, "student.bin"));
        _answer.save(Path.Combine(part, "answer.bin"));
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
            _answer.load(Path.Combine(Checkpoint, "answer.bin"));
            _optimizer.load_state_dict(Path.Combine(Checkpoint, "optimizer.bin"));
            _epoch = int.Parse(File.ReadAllText(Path.Combine(Checkpoint, "epoch.txt")));
        }
    }
}
