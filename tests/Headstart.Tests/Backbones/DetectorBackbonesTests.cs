using System.Runtime.CompilerServices;
using Headstart.Backbones;
using Headstart.Learning.Backbones;
using Headstart.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Backbones;

[Collection<TrainingHost>]
public sealed class DetectorBackbonesTests(TestHost host) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DetectorBackbones _detectors = new(host.Services.GetRequiredService<LoadedBackbones>());

    public void Dispose()
    {
        _detectors.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void One_that_could_not_be_opened_once_is_opened_the_next_time()
    {
        using var backbone = Open();
        File.Move(backbone.File.Path, _folder.Below("elsewhere"));
        Assert.Null(_detectors.Find(backbone));

        File.Move(_folder.Below("elsewhere"), backbone.File.Path);

        Assert.NotNull(_detectors.Find(backbone));
        Assert.Same(_detectors.Find(backbone), _detectors.Find(backbone));
    }

    [Fact]
    public void One_whose_backbone_is_gone_goes_too()
    {
        var opened = Opened();

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(opened.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Opened() => new(_detectors.Find(Open()));
    }

    private Backbone Open()
    {
        var file = BackboneFolders.Find([BackboneFolders.BuiltIn]).Found[0];
        File.Copy(file.Path, _folder.Below("copy.onnx"));
        return Backbone.Open(file with { Path = _folder.Below("copy.onnx") }, threads: 1);
    }
}
