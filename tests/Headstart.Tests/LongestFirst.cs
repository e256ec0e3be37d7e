using Headstart.Tests;
using Headstart.Tests.Backbones;
using Headstart.Tests.Backups;
using Headstart.Tests.Blobs;
using Headstart.Tests.Hosting;
using Headstart.Tests.Jobs;
using Headstart.Tests.Processes;
using Headstart.Tests.Reports;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads.Imports;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace Headstart.Tests;

/// <summary>
/// Classes that wait for clocks begin first: those of the other assemblies, which begin at the same time, use the cores meanwhile. Then
/// come those that take minutes, alone or together on one host; one that begins last keeps one core busy when nobody else has anything left
/// to do. The tests of a class, and the classes on one host, run one after another.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly Type[] First =
    [
        typeof(PausedWorkerTests), typeof(OutageTests), typeof(ServerLimitsTests), typeof(S3CollectorTests), typeof(FolderCollectorTests),
        typeof(LostAnswerTests), typeof(EightBitFormsTests), typeof(Metrics.DashboardTests),
        typeof(StartAndStopTests), typeof(CrashTests), typeof(BackupTests), typeof(ChoiceTests), typeof(FetchingTests),
        typeof(FetchingProcessesTests), typeof(JobCrashTests), typeof(S3HostTests), typeof(MemoryTests), typeof(MultiLabelTests),
        typeof(ReportTests), typeof(TrainingHost), typeof(PredictionsHost), typeof(ClientsHost), typeof(BodiesHost),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection => [.. testCollections.OrderBy(Place)];

    private static int Place<TTestCollection>(TTestCollection collection) where TTestCollection : ITestCollection =>
        Array.FindIndex(First, type => collection.TestCollectionDisplayName.Contains($" {type.FullName} ", StringComparison.Ordinal))
            is var place and >= 0 ? place : First.Length;
}
