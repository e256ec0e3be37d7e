namespace Headstart.Learning.Heads;

/// <summary>How a head is fitted.</summary>
public enum HeadKind
{
    /// <summary>Linear discriminant analysis with a shrunk covariance: each category is its mean, and distances account for how images
    /// within a category vary. Best up to a few hundred images.</summary>
    Prototypes,

    /// <summary>Logistic regression with L2, the linear probe of CLIP (Radford et al. 2021); one against the rest if labels do not exclude
    /// each other.</summary>
    Logistic,

    /// <summary>Logistic regression that starts from the words of the categories, <see cref="LabelledFeatures.Prior"/>, as far as the
    /// examples confirm them.</summary>
    Words,

    /// <summary>A hidden layer between features and logits, with early stopping. For many images, or categories that are not linearly
    /// separable.</summary>
    Hidden,
}

/// <summary>A way to fit a head.</summary>
/// <param name="Kind">The method.</param>
/// <param name="Strength">Regularisation: the L2 penalty, or the share of the covariance that is shrunk to a multiple of the identity,
/// 0..1.</param>
public sealed record HeadMethod(HeadKind Kind, double Strength);
