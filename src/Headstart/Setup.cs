using Grpc.AspNetCore.Server;
using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Headstart.Access;
using Headstart.Backbones;
using Headstart.BatchPredictions;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.ImageSearches;
using Headstart.Jobs;
using Headstart.Models;
using Headstart.NanoNets;
using Headstart.OpenInference;
using Headstart.Postgres;
using Headstart.Predictions;
using Headstart.Reports;
using Headstart.Similarity;
using Headstart.Training;
using Headstart.Uploads;
using Headstart.Uploads.Datasets;
using Headstart.Uploads.Imports;
using Headstart.Uploads.Storing;
using Headstart.Uploads.Texts;
using Headstart.Versions;
using Headstart.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Headstart;

/// <summary>Registers the services of each feature.</summary>
public static class Setup
{
    public static IServiceCollection AddDatabase(this IServiceCollection services) => services
        .AddPooledDbContextFactory<HeadstartDb>(static (provider, options) =>
        {
            var address = provider.GetRequiredService<DatabaseAddress>();
            options.UseHeadstart(address.Shared);
            if (address.Sessions != Sessions.Own)
            {
                options.AddInterceptors(new IdleLimit());
            }
        })
        .AddSingleton<Announcements>().AddHostedService(static provider => provider.GetRequiredService<Announcements>());

    public static IServiceCollection AddBlobs(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(settings.Blobs).AddSingleton<BlobStores>().AddSingleton<BlobHealth>().AddSingleton<BlobCollector>()
            .AddKeyedSingleton(BlobStores.ForImports, static (provider, _) => provider.GetRequiredService<BlobStores>().Imports)
            .AddSingleton(static provider => provider.GetRequiredService<BlobStores>().Blobs);
        return settings.HasRole("worker") && settings.Blobs.Collect ? services.AddHostedService<BlobCollection>() : services;
    }

    public static IServiceCollection AddAccess(this IServiceCollection services, Settings settings)
    {
        services.AddAuthentication("Headstart")
            .AddPolicyScheme("Headstart", null, static options => options.ForwardDefaultSelector = http =>
                SignIn.Chosen(http) ? SignIn.Scheme : KeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, null)
            .AddSignIn();
        var protection = services.AddDataProtection().SetApplicationName("Headstart");
        if (settings.SharedSecret is not null)
        {
            protection.PersistKeysToDbContext<HeadstartDb>();
            services.AddOptions<KeyManagementOptions>()
                .Configure<Settings>(static (options, shared) => options.XmlEncryptor = new SealedKeys(shared));
        }
        else
        {
            services.AddOptions<KeyManagementOptions>().Configure<DataPaths, ILoggerFactory>(static (options, paths, logs) =>
                options.XmlRepository = new FileSystemXmlRepository(new(paths.Keys), logs));
        }

        var authorization = services.AddAuthorizationBuilder().SetDefaultPolicy(Scopes.Policy).AddPolicy(Scopes.Operator, Scopes.Policy);
        foreach (var scope in Scopes.All)
        {
            authorization.AddPolicy(Scopes.Name(scope), Scopes.Policy);
        }

        services.AddSingleton<IAuthorizationHandler, ScopeCheck>();
        services.AddSingleton<Usage>().AddHostedService(static provider => provider.GetRequiredService<Usage>());
        services.AddSingleton<AuditPruning>().AddHostedService(static provider => provider.GetRequiredService<AuditPruning>());
        return services.AddSingleton<FirstKey>().AddSingleton<KnownKeys>().AddSingleton<KeyGuesses>();
    }

    /// <exception cref="StartupException">The catalogue that the settings name cannot be used.</exception>
    public static IServiceCollection AddBackbones(this IServiceCollection services, Settings settings) => services
        .AddSingleton(new HostCatalogue(settings)).AddSingleton<LoadedBackbones>().AddSingleton<DetectorBackbones>()
            .AddSingleton<LoadedTextBackbones>().AddSingleton<ImageTextPairs>().AddSingleton<SentenceVectors>()
            .AddSingleton<BackboneFetcher>().AddSingleton<BackboneRegistry>().AddSingleton<TextRegistry>().AddSingleton<FeatureCache>()
            .AddSingleton<ExtractionShards>().AddCleanup<ExtractionShards>().AddSingleton<SharedFits>().AddCleanup<SharedFits>()
            .AddSingleton<Fingerprints>()
        .AddSingleton<BackboneNews>().AddSingleton<SharedBackboneStore>().AddSingleton<SharedBackbones>().AddSingleton<BackboneExchange>()
            .AddHostedService(static provider => provider.GetRequiredService<BackboneExchange>())
        .AddSingleton<LabelledPhotographs>().AddSingleton<EightBitForms>().AddHostedService<EightBitMaking>();

    public static IServiceCollection AddVersions(this IServiceCollection services) => services
        .AddSingleton<VersionReader>().AddSingleton<ServableVersions>().AddSingleton<VersionExport>();

    public static IServiceCollection AddUploads(this IServiceCollection services) => services
        .AddSingleton<WebFetcher>().AddSingleton<ImageContents>().AddTransient<DatasetExport>().AddTransient<ImageUpload>()
        .AddTransient<ImageRequests>().AddTransient<TextUpload>()
        .AddTransient<TextFeedback>();

    public static IServiceCollection AddModels(this IServiceCollection services) => services.AddTransient<CategoryChanges>()
        .AddTransient<ModelViews>();

    public static IServiceCollection AddOpenInference(this IServiceCollection services, Settings settings)
    {
        services.AddGrpc();
        services.PostConfigure<GrpcServiceOptions>(grpc => GrpcInference.Configure(grpc, settings)); // after the package's defaults
        return services.AddTransient<NamedVersions>().AddTransient<TensorAnswers>()
            .AddSingleton(new ErrorShape(OpenInferenceApi.Root, OpenInferenceApi.Of, typeof(InferError)))
            .AddSingleton(new ErrorShape(GrpcErrors.Root, GrpcErrors.Of, typeof(InferError)));
    }

    public static IServiceCollection AddPredictions(this IServiceCollection services) => services
        .AddSingleton<FeatureMemory>().AddSingleton<Predictor>().AddSingleton<ImageAnswers>()
            .AddSingleton<TextAnswers>().AddTransient<HeatMaps>();

    public static IServiceCollection AddNanoNets(this IServiceCollection services) => services
        .AddSingleton<NanoRequests>().AddTransient<NanoUpload>().AddTransient<NanoPredictor>()
        .AddSingleton(new ErrorShape(NanoNetsApi.Root, NanoAnswer.Of, typeof(NanoError)));

    public static IServiceCollection AddReports(this IServiceCollection services) => services.AddSingleton<ReportPictures>();

    /// <summary>Adds Hangfire, which wakes workers. Each kind of job has its own queue and worker.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton<JobWaker>();
        if (settings.HasRole("worker"))
        {
            services.AddHostedService<JobSweep>().AddHostedService<Backlog>();
        }

        // A storage of this host's own: the one that Hangfire's configuration makes is static, and a second host in the same process
        // (tests, tools) would enqueue into the database of the first.
        services.AddSingleton<JobStorage>(static provider =>
        {
            var options = new PostgreSqlStorageOptions
            {
                QueuePollInterval = TimeSpan.FromSeconds(1),
                UseSlidingInvisibilityTimeout = true,
                AllowDegradedModeWithoutStorage = false,
                SchemaName = Schema.Jobs,
                PrepareSchemaIfNecessary = false, // Schema has done it
                // Held for milliseconds while a job changes state. If the database dies meanwhile, the lock stays behind and the single
                // worker waits for it: ten minutes with the default.
                DistributedLockTimeout = TimeSpan.FromSeconds(20),
            };
            return new PostgreSqlStorage(new NpgsqlConnectionFactory(provider.GetRequiredService<DatabaseAddress>().Shared, options),
                options);
        });
        // Not static, for the same reason: a static one would create jobs from the services of the host started last.
        services.AddSingleton<JobActivator>(static provider =>
            new AspNetCoreJobActivator(provider.GetRequiredService<IServiceScopeFactory>()));
        return services.AddHangfire(static hangfire => hangfire.UseRecommendedSerializerSettings());
    }

    public static IServiceCollection AddTraining(this IServiceCollection services, Settings settings)
    {
        services.AddTransient<RunStart>().AddSingleton<WantedBackbones>().AddSingleton<EarlierChoice>().AddSingleton<ModelUpdates>()
            .AddSingleton<VersionWriter>()
            .AddSingleton<ImageRunFeatures>().AddSingleton<TextRunFeatures>()
            .AddSingleton<IRunSteps, ClassificationRun>().AddSingleton<IRunSteps, DetectionRun>().AddSingleton<IRunSteps, WordsRun>()
            .AddJob<TrainingJob>(TrainingJob.Kind, settings);
        return settings.HasRole("worker") ? services.AddHostedService<ShardWorker>() : services;
    }

    public static IServiceCollection AddBatchPredictions(this IServiceCollection services, Settings settings) => services
        .AddTransient<NewBatches>().AddTransient<BatchItems>().AddTransient<BatchIntake>().AddTransient<TextBatchIntake>()
            .AddSingleton<BatchAnswering>().AddJob<BatchJob>(BatchJob.Kind, settings);

    public static IServiceCollection AddImageSearches(this IServiceCollection services, Settings settings) => services
        .AddSingleton<IImageSource, Openverse>().AddSingleton<IImageSource, WikimediaCommons>()
        .AddSingleton<CandidateFetching>().AddSingleton<CandidateSifting>()
        .AddTransient<NewSearches>().AddJob<SearchJob>(SearchJob.Kind, settings);

    public static IServiceCollection AddImports(this IServiceCollection services, Settings settings) => services
        .AddTransient<ImportIntake>().AddSingleton<ImportSources>()
            .AddCleanup<ImportSources>()
        .AddJob<ImportJob>(ImportJob.Kind, settings);

    private static IServiceCollection AddCleanup<T>(this IServiceCollection services)
        where T : class, ICleanup => services.AddSingleton<ICleanup>(static provider => provider.GetRequiredService<T>());

    /// <summary>Adds a kind of job and, on workers, a queue of its own, so that no kind waits for another.</summary>
    private static IServiceCollection AddJob<TJob>(this IServiceCollection services, JobKind kind, Settings settings)
        where TJob : class, IJob
    {
        services.AddSingleton(kind).AddKeyedSingleton(kind.Name, kind).AddKeyedTransient<IJob, TJob>(kind.Name);
        return !settings.HasRole("worker") ? services : services.AddHangfireServer(server =>
        {
            server.Queues = [kind.Name];
            server.WorkerCount = kind.AtOnce;
            server.ShutdownTimeout = TimeSpan.FromSeconds(10);
            server.StopTimeout = TimeSpan.FromMilliseconds(100);
        });
    }

    public static void MapJobDashboard(this WebApplication app, Settings settings)
    {
        if (settings.Dashboard)
        {
            // Hangfire's own filter would admit everyone who comes through a proxy on this host; here the key decides. The dashboard shows
            // the jobs of all accounts.
            app.MapHangfireDashboard("/hangfire", new DashboardOptions { Authorization = [], AppPath = $"{settings.Prefix}/" })
                .RequireAuthorization(Scopes.Operator);
        }
    }
}
