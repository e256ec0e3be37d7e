using Headstart.Data;

namespace Headstart.Training;

/// <summary>Which steps a run takes between freezing its examples and publishing.</summary>
internal sealed class RunSteps(ClassificationRun classification, DetectionRun detection, WordsRun words)
{
    /// <returns>null if there are too few categories to learn from, and their words cannot stand in.</returns>
    public IRunSteps? For(Dataset data, TrainingRun run) => data.Categories.Count >= data.Kind.MinCategories()
        ? data.Kind.HasBoxes() ? detection : classification
        : words.Suits(data, run) ? words : null;
}
