namespace Headstart.Learning.Heads;

/// <summary>How a head is fitted.</summary>
public enum HeadKind
{
    /// <summary>Each category is its mean, and nearness is measured by how images of a category differ: linear discriminant analysis with a
    /// shrunk covariance. Best up to a few hundred images.</summary>
    Prototypes,

    /// <summary>Logistic regression with L2: the linear probe of CLIP (Radford et al. 2021); one against the rest where labels do not
    /// exclude each other.</summary>
    Logistic,

    /// <summary>Logistic regression that begins with what the words of the categories say, <see cref="LabelledFeatures.Prior"/>, as far as
    /// the examples bear it out.</summary>
    Words,

    /// <summary>A hidden layer between features and logits, stopped early. For many images, or where no line divides the
    /// categories.</summary>
    Hidden,
}

/// <summary>A way to fit a head.</summary>
/// <param name="Kind">The method.</param>
/// <param name="Strength">Of its regularisation: the L2 penalty, or the share of the covariance that is taken to be alike in all
/// directions, 0..1.</param>
public sealed record HeadMethod(HeadKind Kind, double Strength);
