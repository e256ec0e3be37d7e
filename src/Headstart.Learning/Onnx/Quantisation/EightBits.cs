namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>
/// The 256 possible values of an activation: <c>(q - ZeroPoint) * Scale</c>, q in 0..255. Zero is always one of them, because convolutions
/// pad with it. Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR
/// 2018.
/// </summary>
internal readonly record struct EightBits
{
    public const int Levels = 255;

    private EightBits(float scale, byte zeroPoint) => (Scale, ZeroPoint) = (scale, zeroPoint);

    public float Scale { get; }

    public byte ZeroPoint { get; }

    /// <summary>The values that cover this range; anything outside is clipped.</summary>
    public static EightBits Of(float low, float high)
    {
        (low, high) = (Math.Min(low, 0), Math.Max(high, 0));
        var scale = (high - low) / Levels;
        return float.IsNormal(scale) ? new(scale, (byte)Math.Clamp(MathF.Round(-low / scale), 0, Levels)) : new(1, 0);
    }
}
