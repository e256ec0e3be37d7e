namespace Headstart.Learning.Heads;

/// <summary>How a head is fitted.</summary>
public enum HeadKind
{
    /// <summary>Each category is its mean; linear discriminant analysis with a shrunk covariance. For a handful of images.</summary>
    Prototypes,

    /// <summary>Multinomial logistic regression with class-balanced weights and L2: the linear probe of CLIP (Radford et al. 2021).</summary>
    Logistic,
}

/// <summary>A way to fit a head.</summary>
/// <param name="Kind">The method.</param>
/// <param name="Strength">Of its regularisation: the L2 penalty, or the share of the covariance that is taken to be alike in all directions, 0..1.</param>
public sealed record HeadMethod(HeadKind Kind, double Strength);
