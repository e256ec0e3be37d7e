using System.Buffers.Binary;
using System.Security.Cryptography;
using CsCheck;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Heads;

public sealed class HeadArtifactTests
{
    private static readonly Gen<float> Finite = Gen.Float[-1e6f, 1e6f];

    private static readonly Gen<HeadArtifact> Artifacts =
        from k in Gen.Int[1, 5]
        from d in Gen.Int[1, 20]
        from labels in Gen.String.AlphaNumeric.Array[k]
        from hidden in Gen.Int[0, 3] // units; none makes a linear head
        from weights in Finite.Array[k * (hidden > 0 ? hidden : d)]
        from bias in Finite.Array[k]
        from hiddenWeights in Finite.Array[hidden * d]
        from thresholds in Gen.Float[0, 1].Array[k]
        from exclusive in Gen.Bool
        from known in Finite.Array[d].Array[1, 3]
        from threshold in Gen.Double[-1, 1]
        from ids in Gen.String.AlphaNumeric.Array[1, 3]
        select new HeadArtifact([.. ids.Select(id => new ArtifactPart(id, "abc", "centre224-ü-v1", "stride16"))],
            new Head(labels, new DenseLayer(weights.Length / k, weights, bias),
                hidden > 0 ? new DenseLayer(d, hiddenWeights, new float[hidden]) : null, exclusive ? null : thresholds),
            new NoveltyDetector(known, threshold));

    [Fact]
    public void What_was_written_is_read() => Artifacts.Sample(artifact =>
    {
        var bytes = artifact.Write();
        var read = HeadArtifact.Read(bytes);

        Assert.Equal(artifact.Parts, read.Parts);
        Assert.Equal(artifact.Head.Labels, read.Head.Labels);
        Assert.Equal(artifact.Head.Features, read.Head.Features);
        Assert.Equal(artifact.Head.Thresholds, read.Head.Thresholds);
        Assert.Equal(artifact.Head.Output.Weights.ToArray(), read.Head.Output.Weights.ToArray());
        Assert.Equal(artifact.Head.Output.Bias.ToArray(), read.Head.Output.Bias.ToArray());
        Assert.Equal(artifact.Head.Hidden?.Weights.ToArray(), read.Head.Hidden?.Weights.ToArray());
        Assert.Equal(artifact.Known.Directions, read.Known.Directions);
        Assert.Equal(artifact.Known.Threshold, read.Known.Threshold);
        Assert.Equal(bytes, read.Write());
    });

    [Fact]
    public void Any_flipped_bit_is_noticed() =>
        Gen.Select(Artifacts, Gen.Int[0, int.MaxValue], Gen.Int[0, 7]).Sample((artifact, position, bit) =>
        {
            var bytes = artifact.Write();
            bytes[position % bytes.Length] ^= (byte)(1 << bit);
            AssertRefused(bytes);
        });

    [Fact]
    public void Every_truncation_and_any_extension_is_noticed()
    {
        var bytes = Sample().Write();
        for (var length = 0; length < bytes.Length; length++)
        {
            AssertRefused(bytes[..length]);
        }

        AssertRefused([.. bytes, 0]);
        AssertRefused([.. bytes, .. bytes]);
    }

    [Fact]
    public void A_newer_version_is_refused_with_the_advice_to_update()
    {
        var bytes = Sample().Write();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), HeadArtifact.FormatVersion + 1);

        Assert.Contains("update", AssertRefused(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_well_signed_file_with_absurd_sizes_is_refused_without_allocating_them()
    {
        const int Parts = 20;
        var labels = Parts + 4 + (4 + "b".Length) + (4 + "s".Length) + (4 + "p".Length) + 4;
        var thresholds = labels + 4 + (4 + "cat".Length) + (4 + "dog".Length);
        foreach (var parts in (int[])[int.MaxValue, 0, -1, 2])
        {
            var bytes = Sample().Write();
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(Parts), parts);
            SHA256.HashData(bytes.AsSpan(..^32), bytes.AsSpan(^32..));

            AssertRefused(bytes);
        }

        foreach (var (at, size) in ((int, int)[])
            [(labels, int.MaxValue), (labels, -1), (labels, 1), (thresholds, int.MaxValue), (thresholds, -1), (thresholds, 1),
                (thresholds + 4, 0), (thresholds + 4, 2),
            (thresholds + 8, int.MaxValue), (thresholds + 8, -3), (thresholds + 12, int.MaxValue), (thresholds + 12, 0),
                (thresholds + 12, 1)])
        {
            var bytes = Sample().Write();
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), size);
            SHA256.HashData(bytes.AsSpan(..^32), bytes.AsSpan(^32..));

            AssertRefused(bytes);
        }
    }

    [Fact]
    public void The_bytes_are_fixed_for_ever() => Assert.Equal(
        "485354484541440a04000000a500000000000000010000000100000062010000007301000000700000000002000000030000006361740300000064"
        + "6f67000000000100000003000000020000000000803f0000004000004040000080400000a0400000c0400000003f000000bf010000000000803f00"
        + "00000000000000000000000000d03f53ca4006d5e6c7af7b7819cc82ee18adf3f2c9fb4131988fc039d88588a0f558",
        Convert.ToHexStringLower(Sample().Write()));

    private static HeadArtifact Sample() => new([new("b", "s", "p", "")],
        new Head(["cat", "dog"], new DenseLayer(3, [1, 2, 3, 4, 5, 6], [0.5f, -0.5f])), new NoveltyDetector([[1, 0, 0]], 0.25));

    private static string AssertRefused(byte[] bytes) => Assert.Throws<HeadArtifactException>(() => HeadArtifact.Read(bytes)).Message;
}
