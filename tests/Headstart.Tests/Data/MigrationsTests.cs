using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Headstart.Tests.Data;

/// <summary>What an earlier Headstart wrote is still there after an update.</summary>
public sealed class MigrationsTests(TestPostgres postgres)
{
    [Fact]
    public async Task Images_keep_their_category_when_images_learn_to_have_several()
    {
        var connection = await postgres.CreateEmptyDatabaseAsync();
        await using var db = new HeadstartDb((DbContextOptions<HeadstartDb>)new DbContextOptionsBuilder<HeadstartDb>().UseHeadstart(connection).Options);
        await db.GetService<IMigrator>().MigrateAsync("JudgedHeads", Api.Cancel);
        var (account, model, category, image, run) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO accounts (id, name, created_at) VALUES ({account}, 'a', now());
            INSERT INTO models (id, account_id, name, kind, categories_grow, created_at) VALUES ({model}, {account}, 'm', 'ImageClassification', false, now());
            INSERT INTO categories (id, model_id, name, position) VALUES ({category}, {model}, 'cats', 0);
            INSERT INTO images (id, model_id, category_id, file_name, sha256, media_type, width, height, bytes, split, confirmed, created_at)
                VALUES ({image}, {model}, {category}, 'a.jpg', '\x01', 'image/jpeg', 1, 1, 1, 'Train', false, now());
            INSERT INTO training_runs (id, model_id, state, progress, backbones, notices, cancel_requested, dataset_frozen, attempts, enqueued_at, created_at)
                VALUES ({run}, {model}, 'Succeeded', 1, '[]', ARRAY[]::text[], false, true, 1, now(), now());
            INSERT INTO run_images (run_id, image_id, sha256, category, split) VALUES ({run}, {image}, '\x01', 'cats', 'Train');
            """, Api.Cancel);

        await db.Database.MigrateAsync(Api.Cancel);

        Assert.Equal([category], (await db.Images.Include(i => i.Labels).SingleAsync(Api.Cancel)).Labels.Select(label => label.CategoryId));
        Assert.Equal(["cats"], (await db.RunImages.SingleAsync(Api.Cancel)).Categories);
    }
}
