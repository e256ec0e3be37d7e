using System.Buffers;

namespace Headstart.Learning.Imaging;

/// <summary>One preprocessed image in a pooled array: allocating one of this size costs more than filling it.</summary>
internal sealed class ModelInput : IDisposable
{
    private readonly float[] _rented;

    private ModelInput(float[] rented, int length)
    {
        _rented = rented;
        Chw = rented.AsMemory(0, length);
    }

    /// <summary><c>[3, Size, Size]</c>, see <see cref="ImageReader.Preprocess"/>; invalid after <see cref="Dispose"/>.</summary>
    public Memory<float> Chw { get; }

    /// <exception cref="ImageRefusedException">The file cannot be read.</exception>
    public static ModelInput Of(byte[] image, Preprocessing p)
    {
        using var square = CentreSquare.Of(image, p.Size, p.Version);
        return Of(square, p);
    }

    public static ModelInput Of(CentreSquare square, Preprocessing p)
    {
        var input = new ModelInput(ArrayPool<float>.Shared.Rent(p.Length), p.Length);
        square.Fill(input.Chw.Span, p);
        return input;
    }

    public void Dispose() => ArrayPool<float>.Shared.Return(_rented);
}
