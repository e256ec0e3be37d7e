using Headstart;
using Headstart.Access;
using Headstart.Backbones;
using Headstart.Backups;
using Headstart.BatchPredictions;
using Headstart.Data;
using Headstart.Hosting;
using Headstart.ImageSearches;
using Headstart.Models;
using Headstart.NanoNets;
using Headstart.OpenInference;
using Headstart.Postgres;
using Headstart.Predictions;
using Headstart.Reports;
using Headstart.Training;
using Headstart.Uploads;
using Headstart.Uploads.Datasets;
using Headstart.Uploads.Texts;
using Headstart.Versions;
using Headstart.Web;

if (CheckCommand.Asked(args))
{
    return CheckCommand.Run(args);
}

using var interruption = new Interruption();
try
{
    var builder = Hosting.NewBuilder(args);
    var settings = builder.ReadSettings();
    if (FetchCommand.Asked(args))
    {
        return await FetchCommand.RunAsync(args, settings, interruption.Token);
    }

    if (BackupCommand.Asked(args))
    {
        return await BackupCommand.RunAsync(args, builder.Configuration, settings, interruption.Token);
    }

    if (RestoreCommand.Asked(args))
    {
        return await RestoreCommand.RunAsync(args, builder.Configuration, settings, interruption.Token);
    }

    if (AddCommand.Asked(args))
    {
        return AddCommand.Run(args, settings);
    }

    if (QuantiseCommand.Asked(args))
    {
        return QuantiseCommand.Run(args, settings);
    }

    if (MigrateCommand.Asked(args))
    {
        return await MigrateCommand.RunAsync(builder.Configuration, interruption.Token);
    }

    await using var home = await HostResources.OpenAsync(builder.Configuration, settings, interruption.Token);
    Spool.Open(home.Paths.Spool);

    builder.AddOperations();
    builder.Services.AddSingleton(settings).AddSingleton(home.Database).AddSingleton(home.Paths);
    builder.Services.AddDatabase().AddBlobs(settings).AddAccess(settings).AddBackbones(settings);
    builder.Services.AddModels().AddVersions().AddUploads().AddImports(settings).AddImageSearches(settings);
    builder.Services.AddJobs(settings).AddTraining(settings);
    builder.Services.AddPredictions().AddBatchPredictions(settings).AddReports().AddNanoNets().AddOpenInference(settings).AddPages();

    await using var app = builder.Build();
    app.UseOperations(settings);
    if (settings.HasRole("web")) // a worker answers only health checks
    {
        var api = app.MapGroup("/api/v1").RequireAuthorization().RefuseUnknownParameters();
        api.MapModels();
        api.MapCategories();
        api.MapImages();
        api.MapBoxes();
        api.MapDataset();
        api.MapFeedback();
        api.MapTexts();
        api.MapImports();
        api.MapImageSearches();
        api.MapTraining();
        api.MapVersions();
        api.MapReports();
        api.MapPredictions();
        api.MapHeatMaps();
        api.MapBatchPredictions();
        api.MapBackbones();
        api.MapTextBackbones();
        api.MapKeys();
        api.MapUsage();
        api.MapAccounts();
        api.MapAudit();
        app.MapOpenInference(settings);
        app.MapNanoNets();
        app.MapPages();
        app.MapOpenApiDocument();
    }

    app.MapHealth();
    app.MapMetrics(settings);
    app.MapJobDashboard(settings);
    app.BuildOnce();

    await app.PrepareAsync(interruption.Token);
    await app.RunAsync(interruption.Token);
    return 0;
}
catch (StartupException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
catch (Exception e) when (DatabaseProblems.Describe(e) is { } sentence)
{
    await Console.Error.WriteLineAsync(sentence);
    return 1;
}
catch (IOException e)
{
    await Console.Error.WriteLineAsync($"{e.Message.TrimEnd('.')}. Check the data folder, and the space on its disk.");
    return 1;
}
catch (UnauthorizedAccessException e)
{
    await Console.Error.WriteLineAsync($"{e.Message} If Headstart was once started as root (sudo), change the owner of its data folder "
        + "back with chown -R.");
    return 1;
}
catch (OperationCanceledException) when (interruption.Requested)
{
    return 130;
}
