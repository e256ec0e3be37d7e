using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Data;

/// <summary>The one database context. Names in the database are snake_case; enums are stored by name.</summary>
public sealed class HeadstartDb(DbContextOptions<HeadstartDb> options) : DbContext(options), IDataProtectionKeyContext
{
    public DbSet<Account> Accounts => Set<Account>();

    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();

    public DbSet<UsageDay> UsageDays => Set<UsageDay>();

    public DbSet<Model> Models => Set<Model>();

    public DbSet<Category> Categories => Set<Category>();

    public DbSet<CategoryChange> CategoryChanges => Set<CategoryChange>();

    public DbSet<MovedLabel> MovedLabels => Set<MovedLabel>();

    public DbSet<Example> Examples => Set<Example>();

    public DbSet<ExampleLabel> ExampleLabels => Set<ExampleLabel>();

    public DbSet<ExampleBox> ExampleBoxes => Set<ExampleBox>();

    public DbSet<MovedBox> MovedBoxes => Set<MovedBox>();

    /// <summary>Labels that heads may learn from: all except those of test examples chosen by a user.</summary>
    public IQueryable<ExampleLabel> LearnableLabels => ExampleLabels.Where(l =>
        Examples.Any(e => e.Id == l.ExampleId && !(e.SplitGiven && e.Split == Split.Test)));

    public DbSet<TrainingRun> TrainingRuns => Set<TrainingRun>();

    public DbSet<RunExample> RunExamples => Set<RunExample>();

    public DbSet<ModelVersion> Versions => Set<ModelVersion>();

    public DbSet<BatchPrediction> BatchPredictions => Set<BatchPrediction>();

    public DbSet<BatchItem> BatchItems => Set<BatchItem>();

    public DbSet<ImageSearch> ImageSearches => Set<ImageSearch>();

    public DbSet<SearchCandidate> SearchCandidates => Set<SearchCandidate>();

    public DbSet<Import> Imports => Set<Import>();

    public DbSet<ImportRejection> ImportRejections => Set<ImportRejection>();

    public DbSet<ImportSource> ImportSources => Set<ImportSource>();

    public DbSet<FeatureVector> FeatureVectors => Set<FeatureVector>();

    public DbSet<SharedBackbone> SharedBackbones => Set<SharedBackbone>();

    public DbSet<ExtractionShard> ExtractionShards => Set<ExtractionShard>();

    public DbSet<FitWork> FitWorks => Set<FitWork>();

    public DbSet<FitShard> FitShards => Set<FitShard>();

    /// <summary>Keys that encrypt cookies, if several hosts share them.</summary>
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        conventions.Properties<ModelKind>().HaveConversion<string>();
        conventions.Properties<Split>().HaveConversion<string>();
        conventions.Properties<RunStage>().HaveConversion<string>();
        conventions.Properties<SearchStage>().HaveConversion<string>();
        conventions.Properties<CandidateState>().HaveConversion<string>();
        conventions.Properties<Licences>().HaveConversion<string>();
        conventions.Properties<JobState>().HaveConversion<string>();
    }

    protected override void OnModelCreating(ModelBuilder builder)
    {
        builder.Entity<Account>().ComplexProperty(a => a.Quotas);
        builder.Entity<AuditEntry>(entry =>
        {
            entry.HasIndex(e => new { e.AccountId, e.Id }); // lists, newest first
            entry.HasIndex(e => e.At); // deleting old entries
            entry.Property(e => e.Subjects).HasColumnType("jsonb");
        });
        builder.Entity<ApiKey>(key =>
        {
            key.PrimitiveCollection(k => k.Scopes).ElementType().HasConversion<string>();
            key.HasIndex(k => k.Hash).IsUnique();
            key.HasOne<Account>().WithMany().HasForeignKey(k => k.AccountId);
        });
        builder.Entity<UsageDay>(usage =>
        {
            usage.HasKey(u => new { u.KeyId, u.Day });
            usage.HasOne<ApiKey>().WithMany().HasForeignKey(u => u.KeyId);
        });
        builder.Entity<Model>(model =>
        {
            model.HasIndex(m => new { m.AccountId, m.Name }).IsUnique();
            model.HasOne<Account>().WithMany().HasForeignKey(m => m.AccountId);
            model.HasMany(m => m.Categories).WithOne().HasForeignKey(c => c.ModelId);
        });
        builder.Entity<Category>().HasIndex(c => new { c.ModelId, c.Name }).IsUnique();
        builder.Entity<CategoryChange>(change =>
        {
            change.HasIndex(c => new { c.ModelId, c.Id }); // lists, newest first
            change.HasOne<Model>().WithMany().HasForeignKey(c => c.ModelId);
            change.ComplexCollection(c => c.Merged, merged => merged.ToJson());
        });
        builder.Entity<MovedLabel>(label =>
        {
            label.HasKey(l => new { l.ChangeId, l.ExampleId, l.CategoryId });
            label.HasOne<CategoryChange>().WithMany().HasForeignKey(l => l.ChangeId);
        });
        builder.Entity<Example>(example =>
        {
            example.HasIndex(e => new { e.ModelId, e.Sha256 }).IsUnique(); // a model never learns the same bytes twice
            example.HasIndex(e => new { e.ModelId, e.Id }); // lists, newest first
            example.HasOne<Model>().WithMany().HasForeignKey(e => e.ModelId);
            example.ComplexProperty(e => e.Origin, origin => origin.ToJson());
            example.HasMany(e => e.Labels).WithOne().HasForeignKey(l => l.ExampleId);
        });
        builder.Entity<ExampleLabel>(label =>
        {
            label.HasKey(l => new { l.ExampleId, l.CategoryId });
            label.HasIndex(l => new { l.CategoryId, l.ExampleId });
            label.HasOne<Category>().WithMany().HasForeignKey(l => l.CategoryId);
        });
        builder.Entity<ExampleBox>(box =>
        {
            box.HasIndex(b => b.CategoryId); // merging categories
            box.HasOne<Example>().WithMany(e => e.Boxes).HasForeignKey(b => b.ExampleId);
            box.HasOne<ExampleLabel>().WithMany().HasForeignKey(b => new { b.ExampleId, b.CategoryId }); // labels own their boxes
        });
        builder.Entity<MovedBox>(box =>
        {
            box.HasKey(b => new { b.ChangeId, b.BoxId });
            box.HasOne<CategoryChange>().WithMany().HasForeignKey(b => b.ChangeId);
        });
        builder.Entity<TrainingRun>(run =>
        {
            run.IsJob();
            run.HasIndex(r => r.ModelId, "ix_training_runs_one_running").IsUnique().HasFilter("state = 'Running'");
            run.ComplexCollection(r => r.Backbones, trials => trials.ToJson());
        });
        builder.Entity<RunExample>(example =>
        {
            example.HasKey(e => new { e.RunId, e.ExampleId });
            example.HasOne<TrainingRun>().WithMany().HasForeignKey(e => e.RunId);
            example.Property(e => e.Boxes).HasColumnType("jsonb");
        });
        builder.Entity<ModelVersion>(version =>
        {
            version.ToTable("model_versions").HasKey(v => new { v.ModelId, v.Number });
            version.HasIndex(v => v.RunId).IsUnique(); // a run makes one version, however often it starts
            version.HasOne<Model>().WithMany().HasForeignKey(v => v.ModelId);
            version.HasOne<TrainingRun>().WithMany().HasForeignKey(v => v.RunId);
        });
        builder.Entity<BatchPrediction>().IsJob();
        builder.Entity<BatchItem>(item =>
        {
            item.HasKey(i => new { i.BatchId, i.Position });
            item.HasOne<BatchPrediction>().WithMany().HasForeignKey(i => i.BatchId);
            item.Property(i => i.Answer).HasColumnType("jsonb");
        });
        builder.Entity<ImageSearch>(search =>
        {
            search.IsJob();
            search.ComplexCollection(s => s.Queries, queries => queries.ToJson());
        });
        builder.Entity<SearchCandidate>(candidate =>
        {
            candidate.HasKey(c => new { c.SearchId, c.Position });
            candidate.HasOne<ImageSearch>().WithMany().HasForeignKey(c => c.SearchId);
            candidate.ComplexProperty(c => c.Origin, origin => origin.ToJson());
        });
        builder.Entity<Import>().IsJob();
        builder.Entity<ImportRejection>(rejection =>
        {
            rejection.HasKey(r => new { r.ImportId, r.Position });
            rejection.HasOne<Import>().WithMany().HasForeignKey(r => r.ImportId);
        });
        builder.Entity<ImportSource>().HasKey(s => s.Sha256);
        builder.Entity<FeatureVector>().HasKey(v => new { v.Sha256, v.Space });
        builder.Entity<SharedBackbone>().Property(b => b.Manifest).HasColumnType("jsonb");
        builder.Entity<ExtractionShard>().HasKey(s => new { s.ExtractionId, s.Number });
        builder.Entity<FitShard>().HasKey(s => new { s.WorkId, s.Number });
        builder.Entity<FitShard>().HasOne<FitWork>().WithMany().HasForeignKey(s => s.WorkId).OnDelete(DeleteBehavior.Cascade);
    }
}
