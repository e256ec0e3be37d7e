using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;

[assembly: AssemblyFixture(typeof(Headstart.Learning.Tests.Detection.TrainedDetector))]

namespace Headstart.Learning.Tests.Detection;

/// <summary>A detector of drawn objects, trained once for all tests.</summary>
public sealed class TrainedDetector : IDisposable
{
    private readonly Lazy<(DetectorBackbone Backbone, DetectionResult Result)> _trained = new(() =>
    {
        var backbone = DetectorBackbone.Open(DetectorBackboneTests.Find("headstart-small", [BackboneFolders.BuiltIn]), threads: 1);
        var drawn = DrawnObjects.Draw(40, seed: 1);
        return (backbone, DetectionTraining.Train(
            new(DrawnObjects.Categories, drawn[..20], drawn[20..], [backbone]) { Effort = 0.1 }, null, CancellationToken.None));
    });

    public DetectorBackbone Backbone => _trained.Value.Backbone;

    public DetectionResult Result => _trained.Value.Result;

    public void Dispose()
    {
        if (_trained.IsValueCreated)
        {
            Result.Head.Dispose();
            Result.Evaluated?.Dispose();
            Backbone.Dispose();
        }
    }
}
