using Headstart.Learning.Texts;
using Headstart.Versions;

namespace Headstart.Predictions;

/// <summary>How much each word of a text supports a label.</summary>
internal static class WordExplanation
{
    /// <summary>Uses log-odds instead of probability, which hardly changes for confident predictions.</summary>
    public static IReadOnlyList<WordWeight> Of(ServedClassifier version, string text, int label, CancellationToken cancel)
    {
        return WordOcclusion.Explain(text, ((WordFeatures)version.Features).Texts, LogOdds, label, cancel);

        float[] LogOdds(float[] features)
        {
            var logits = new float[version.Head.Labels.Count];
            version.Head.Logits(features, logits);
            var most = logits.Where((_, k) => k != label).Max();
            logits[label] -= (float)(most + Math.Log(logits.Where((_, k) => k != label).Sum(logit => Math.Exp(logit - most))));
            return logits; // only the label's logit is needed
        }
    }
}
