using System.Security.Cryptography;
using Headstart.Learning.Detection;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;
using Headstart.Tests;

namespace Headstart.Learning.Tests.Detection;

public sealed class DetectionHeadTests(TrainedDetector trained)
{
    [Fact]
    public void A_stored_head_answers_as_before()
    {
        var bytes = trained.Result.Head.Write();
        using var read = DetectionHead.Read(bytes);

        Assert.Equal(bytes, read.Write());
        Assert.True(trained.Backbone.Feeds(read));
        Assert.Equal((trained.Result.Head.Resolution, trained.Result.Head.BackboneId), (read.Resolution, read.BackboneId));
        var file = DrawnObjects.Draw(1, seed: 3)[0].Read();
        Assert.Equal(Detector.Detect(trained.Backbone, trained.Result.Head, file).Objects,
            Detector.Detect(trained.Backbone, read, file).Objects);
    }

    [Fact]
    public void What_is_no_head_is_refused_with_a_sentence()
    {
        var bytes = trained.Result.Head.Write();
        Refused("is not a Headstart detection head", [1, 2, 3]);
        Refused("truncated", bytes[..^1]);
        Refused("truncated", [.. bytes, 0]);
        Refused("damaged", Changed(at: 100));
        Refused("update Headstart", Changed(at: 8));
        Refused("train the model again", [.. bytes[..8], 1, .. bytes[9..]]); // its places were not divided
        // What says it holds more than there is, with the right checksum.
        for (var at = 20; at < 300; at += 7)
        {
            var content = Changed(at)[..^SHA256.HashSizeInBytes];
            byte[] signed = [.. content, .. SHA256.HashData(content)];
            try
            {
                using var head = DetectionHead.Read(signed);
            }
            catch (HeadArtifactException exception)
            {
                Assert.Contains("inconsistent", exception.Message);
            }
        }

        void Refused(string because, byte[] file) =>
            Assert.Contains(because, Assert.Throws<HeadArtifactException>(() => DetectionHead.Read(file)).Message);

        byte[] Changed(int at)
        {
            byte[] changed = [.. bytes];
            changed[at] ^= 0x7F;
            return changed;
        }
    }
}

[Collection(Alone.Name)]
public sealed class DetectionMemoryTests(TrainedDetector trained)
{
    [Fact]
    public void Memory_stays_flat_over_many_detections()
    {
        Needs.Time();
        var files = DrawnObjects.Draw(8, seed: 6).Select(example => example.Read()).ToArray();
        void Detect(int count)
        {
            for (var i = 0; i < count; i++)
            {
                using var head = i % 10 == 0 ? DetectionHead.Read(trained.Result.Head.Write()) : null;
                Assert.NotNull(Detector.Detect(trained.Backbone, head ?? trained.Result.Head, files[i % files.Length]));
            }
        }

        Detect(40);
        var before = Resident();
        Detect(100);
        var growth = Resident() - before;

        // The maps of one picture take more than a megabyte, a head about as much.
        Assert.True(growth < 40 * Memory.MiB, $"100 detections left {growth / Memory.MiB} MiB behind.");
    }

    /// <summary>Without what was freed and is only kept for later.</summary>
    private static long Resident()
    {
        ProcessMemory.Trim();
        return Memory.Resident();
    }
}
