using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Headstart.Learning.Imaging;

/// <summary>Converts pixels to floats, sixteen at a time. <c>TensorPrimitives</c> converts bytes one by one, and is generic code, which the
/// runtime takes up to half a minute after the start to optimise.</summary>
internal static class ByteConversion
{
    /// <summary>Writes <c>from * factor + offset</c>, rounded after the product and after the sum.</summary>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToFloats(ReadOnlySpan<byte> from, float factor, float offset, Span<float> to)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(to.Length, from.Length);
        ref var bytes = ref MemoryMarshal.GetReference(from);
        ref var floats = ref MemoryMarshal.GetReference(to);
        var i = 0;
        for (; i <= from.Length - Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            var sixteen = Vector128.LoadUnsafe(ref bytes, (nuint)i);
            ref var next = ref Unsafe.Add(ref floats, i);
            if (Avx512F.IsSupported)
            {
                var values = Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(sixteen));
                (values * factor + Vector512.Create(offset)).StoreUnsafe(ref next);
                continue;
            }

            var (low, high) = Vector128.Widen(sixteen);
            var (first, second) = Vector128.Widen(low);
            var (third, fourth) = Vector128.Widen(high);
            Four(first).StoreUnsafe(ref next);
            Four(second).StoreUnsafe(ref next, 4);
            Four(third).StoreUnsafe(ref next, 8);
            Four(fourth).StoreUnsafe(ref next, 12);
        }

        for (; i < from.Length; i++)
        {
            to[i] = from[i] * factor + offset;
        }

        Vector128<float> Four(Vector128<uint> values) => Vector128.ConvertToSingle(values.AsInt32()) * factor + Vector128.Create(offset);
    }
}
