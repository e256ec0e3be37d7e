using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Access;
using Headstart.Tests.Backbones;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Models;

/// <summary>Categories that are merged, renamed, and put back.</summary>
[Collection<ModelsHost>]
public sealed class CategoriesTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Categories_are_merged_and_the_merge_is_undone_exactly()
    {
        var model = await _client.NewModelAsync("Cat", "dog", "cat", "CAT");
        await _client.AddAsync(model, "Cat", Pictures.Tiny(1), Pictures.Tiny(2));
        await _client.AddAsync(model, "cat", Pictures.Tiny(3), Pictures.Tiny(4), Pictures.Tiny(5));
        await _client.AddAsync(model, "dog", Pictures.Tiny(6));
        var before = await StateAsync(model);

        var change = await MergeAsync(model, "Cat", "cat", "CAT");
        Assert.Equal((3, true), ((int)change["moved"]!, (bool)change["merged"]!));
        Assert.Equal(["Cat 5", "dog 1"], await CountsAsync(model));
        Assert.Equal(change.ToJsonString(), (await MergeAsync(model, "Cat", "cat", "CAT")).ToJsonString()); // sent again

        Assert.NotNull((await UndoAsync(model, change))["undoneAt"]);
        Assert.Equal(before, await StateAsync(model));
        await UndoAsync(model, change); // again
        Assert.Equal(before, await StateAsync(model));
        Assert.Single((await _client.GetJsonAsync($"{model}/categories/changes"))["items"]!.AsArray());
    }

    [Fact]
    public async Task What_came_or_was_labelled_otherwise_after_a_merge_stays_where_it_is()
    {
        var model = await _client.NewModelAsync("Cat", "cat", "dog");
        var three = await _client.AddAsync(model, "cat", Pictures.Tiny(1), Pictures.Tiny(2), Pictures.Tiny(3));
        var change = await MergeAsync(model, "Cat", "cat");
        await _client.AddAsync(model, "Cat", Pictures.Tiny(4));
        await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{three[0]!["id"]}", new { category = "dog" })).JsonAsync();
        await _client.SendAsync(HttpMethod.Delete, $"{model}/images/{three[1]!["id"]}");

        await UndoAsync(model, change);

        Assert.Equal(["Cat 1", "cat 1", "dog 1"], await CountsAsync(model));
    }

    [Fact]
    public async Task In_a_model_of_several_labels_an_image_that_had_both_has_both_again()
    {
        var model = await MultiLabelAsync("Cat", "cat", "CAT");
        await AddAsync(model, 1, "cat");
        await AddAsync(model, 2, "Cat", "cat");
        await AddAsync(model, 3, "cat", "CAT");
        await AddAsync(model, 4);
        var before = await StateAsync(model);

        var change = await MergeAsync(model, "Cat", "cat", "CAT");
        Assert.Equal(["Cat 3"], await CountsAsync(model));

        await UndoAsync(model, change);
        Assert.Equal(before, await StateAsync(model));
    }

    [Fact]
    public async Task Changes_that_build_on_each_other_are_undone_from_the_last_to_the_first()
    {
        var model = await _client.NewModelAsync("a", "b", "c");
        await _client.AddAsync(model, "a", Pictures.Tiny(1));
        await _client.AddAsync(model, "b", Pictures.Tiny(2));
        var before = await StateAsync(model);
        var first = await MergeAsync(model, "b", "a");
        var second = await MergeAsync(model, "c", "b");
        var third = await RenameAsync(model, "c", "d");

        var problem = await (await _client.PostAsync(UndoOf(model, first), new { }))
            .ProblemAsync(HttpStatusCode.Conflict, "changed-since");
        Assert.Contains("\"b\" was merged", (string?)problem["detail"]);
        await UndoAsync(model, third);
        await UndoAsync(model, second);
        await UndoAsync(model, first);

        Assert.Equal(before, await StateAsync(model));
    }

    [Fact]
    public async Task A_category_is_renamed_and_gets_its_name_back()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        await _client.AddAsync(model, "cats", Pictures.Tiny(1));

        var change = await RenameAsync(model, "cats", " House\u00a0cats ");
        Assert.Equal(("House cats", false), ((string?)change["into"], (bool)change["merged"]!));
        Assert.Equal(["House cats 1", "dogs 0"], await CountsAsync(model));
        Assert.Equal((string?)change["id"], (string?)(await RenameAsync(model, "cats", "House cats"))["id"]); // sent again

        await (await _client.PostAsync($"{model}/categories/rename", new { from = "dogs", into = "House cats" }))
            .ProblemAsync(HttpStatusCode.Conflict, "category-exists");
        await UndoAsync(model, change);
        Assert.Equal(["cats 1", "dogs 0"], await CountsAsync(model));
    }

    [Fact]
    public async Task A_name_that_was_given_again_stands_in_the_way_of_undoing_a_rename_and_takes_its_labels_back_after_a_merge()
    {
        var model = await _client.NewModelAsync();
        await _client.AddAsync(model, "cat", Pictures.Tiny(1));
        await _client.AddAsync(model, "Cat", Pictures.Tiny(2));
        var merge = await MergeAsync(model, "Cat", "cat");
        var rename = await RenameAsync(model, "Cat", "felines");
        await _client.AddAsync(model, "cat", Pictures.Tiny(3));
        await _client.AddAsync(model, "Cat", Pictures.Tiny(4));

        await (await _client.PostAsync(UndoOf(model, rename), new { })).ProblemAsync(HttpStatusCode.Conflict, "category-exists");
        await UndoAsync(model, merge);

        Assert.Equal(["felines 1", "cat 2", "Cat 1"], (await CountsAsync(model)).OrderBy(c => c[0] == 'f' ? 0 : c[0] == 'c' ? 1 : 2));
    }

    [Fact]
    public async Task Of_many_who_merge_at_once_one_does_and_all_get_its_answer()
    {
        var model = await _client.NewModelAsync("Cat", "cat");
        await _client.AddAsync(model, "cat", Pictures.Tiny(1));
        var merges = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => MergeAsync(model, "Cat", "cat")));
        Assert.Single(merges.Select(merge => (string?)merge["id"]).Distinct());
        var undone = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => UndoAsync(model, merges[0])));
        Assert.Single(undone.Select(undo => undo.ToJsonString()).Distinct());
        Assert.Equal(["Cat 0", "cat 1"], await CountsAsync(model));
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused_and_changes_nothing()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        await RefusedAsync("merge", new { into = "cats" }, "nothing-to-merge");
        await RefusedAsync("merge", new { from = new[] { "cats" }, into = "cats " }, "nothing-to-merge");
        await RefusedAsync("merge", new { from = new[] { "wolves" }, into = "cats" }, "unknown-category");
        await RefusedAsync("merge", new { from = new[] { "dogs" }, into = "wolves" }, "unknown-category");
        await RefusedAsync("merge", new { from = new[] { "dogs", "wolves" }, into = "cats" }, "unknown-category");
        await RefusedAsync("merge", new { from = new[] { "dogs", null }, into = "cats" }, "invalid-category");
        await RefusedAsync("merge", new { from = new[] { "dogs" } }, "invalid-category");
        await RefusedAsync("rename", new { from = "wolves", into = "x" }, "unknown-category");
        await RefusedAsync("rename", new { from = "cats", into = "\u200b" }, "invalid-category");
        await RefusedAsync("rename", new { from = "cats", into = "cats" }, "nothing-to-rename");
        Assert.Equal(["cats 0", "dogs 0"], await CountsAsync(model));
        Assert.Empty((await _client.GetJsonAsync($"{model}/categories/changes"))["items"]!.AsArray());

        var change = await RenameAsync(model, "cats", "felines");
        await (await _client.PostAsync($"{model}/categories/changes/{Guid.Empty}/undo", new { }))
            .ProblemAsync(HttpStatusCode.NotFound, "category-change-not-found");
        using var other = await host.OtherAccountAsync();
        await (await other.PostAsync(UndoOf(model, change), new { })).ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        await (await other.PostAsync($"{model}/categories/merge", new { from = new[] { "dogs" }, into = "felines" }))
            .ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        using var reader = await host.ClientWithScopesAsync("read");
        await (await reader.PostAsync(UndoOf(model, change), new { })).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");

        async Task RefusedAsync(string what, object body, string type) =>
            await (await _client.PostAsync($"{model}/categories/{what}", body)).ProblemAsync(HttpStatusCode.UnprocessableEntity, type);
    }

    [Fact]
    public async Task A_version_keeps_its_names_and_is_compared_by_the_names_of_today()
    {
        var model = await _client.PetsAsync(12);
        Assert.Equal(1, (int?)(await _client.TrainAsync(model))["version"]);
        await RenameAsync(model, "cats", "felines");

        var labels = (await _client.PredictAsync(model, Pets.Cats[^1]))["predictions"]![0]!["labels"]!.AsArray();
        Assert.Equal(["cats", "dogs"], labels.Select(l => (string)l!["label"]!).Order());
        Assert.Equal(2, (int?)(await _client.TrainAsync(model))["version"]);

        var comparison = (await _client.GetJsonAsync($"{model}/versions/2/report"))["comparison"]!;
        Assert.True(comparison["difference"] is null || Math.Abs((double)comparison["difference"]!) < 0.2, comparison.ToJsonString());
        labels = (await _client.PredictAsync(model, Pets.Cats[^1]))["predictions"]![0]!["labels"]!.AsArray();
        Assert.Equal(["dogs", "felines"], labels.Select(l => (string)l!["label"]!).Order());
    }

    [Fact]
    public async Task Similar_names_are_pointed_out_wherever_they_come_from()
    {
        var name = $"Pets {Guid.CreateVersion7()}";
        var model = await (await _client.PostAsync("/api/v1/models", new { name, categories = new[] { "Cat", "dog", "cat" } }))
            .JsonAsync(HttpStatusCode.Created);
        Assert.Equal("""[["Cat","cat"]]""", model["similarCategories"]!.ToJsonString());
        Assert.Contains("\"Cat\" and \"cat\" are similar: they differ only in case", (string?)model["notices"]![0]);

        var second = await (await _client.PostAsync("/api/v1/models", new { name = name.ToUpperInvariant() }))
            .JsonAsync(HttpStatusCode.Created);
        Assert.Contains($"named \"{name}\": they differ only in case", (string?)second["notices"]![0]);

        var path = $"/api/v1/models/{second["id"]}";
        Assert.Empty(await NoticesAsync(path, "d\u043eg", 1));
        Assert.Contains("look alike", (string?)(await NoticesAsync(path, "dog", 2))![0]);
        Assert.Empty(await NoticesAsync(path, "dog", 3)); // once

        var import = await _client.ImportAsync(path, Api.Form("DOG", ("d.png", Pictures.Tiny(4))), "?async=true");
        Assert.Contains("\"DOG\", \"dog\" and \"d\u043eg\" are similar", (string?)import["notices"]![0]);
        Assert.Null((await (await _client.SendAsync(HttpMethod.Patch, $"/api/v1/models/{model["id"]}",
            new { categories = new[] { "cat" } })).JsonAsync())["notices"]);
    }

    [Fact]
    public async Task A_name_that_is_only_similar_is_refused_with_the_name_that_is_meant()
    {
        var model = await _client.NewModelAsync("Cats", "dogs");
        using var form = Api.Form("cats", ("a.png", Pictures.Tiny(1)));
        var problem = await (await _client.PostAsync($"{model}/images", form, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");
        Assert.Contains("has no category \"cats\", but it has \"Cats\": they differ only in case", (string?)problem["detail"]);
    }

    [Fact]
    public async Task Names_are_compared_composed_in_queries_too()
    {
        var model = await _client.NewModelAsync("Caf\u00e9", "M\u00fcsli");
        var image = (await _client.AddAsync(model, "Cafe\u0301", Pictures.Tiny(1)))[0]!;
        var found = await _client.GetJsonAsync($"{model}/images?category={Uri.EscapeDataString("Cafe\u0301\u200b")}");
        Assert.Single(found["items"]!.AsArray());
        var moved = await (await _client.SendAsync(HttpMethod.Patch, $"{model}/images/{image["id"]}", new { category = "Mu\u0308sli" }))
            .JsonAsync();
        Assert.Equal("M\u00fcsli", (string?)moved["category"]);

        var name = $"Cre\u0300me {Guid.CreateVersion7()}";
        var named = await (await _client.PostAsync("/api/v1/models", new { name })).JsonAsync(HttpStatusCode.Created);
        var byName = await _client.GetJsonAsync($"/api/v1/models?named={Uri.EscapeDataString(name)}");
        Assert.Equal((string?)named["id"], (string?)byName["items"]!.AsArray().Single()!["id"]);
        Assert.Single((await _client.GetJsonAsync($"/api/v1/models?named={named["id"]}"))["items"]!.AsArray());
        await (await _client.PostAsync("/api/v1/models", new { name = name.Replace("e\u0300", "\u00e8", StringComparison.Ordinal) }))
            .ProblemAsync(HttpStatusCode.Conflict, "name-taken");
    }

    private Task<JsonNode> MergeAsync(string model, string into, params string[] from) =>
        ChangeAsync(model, "merge", new { from, into });

    private Task<JsonNode> RenameAsync(string model, string from, string into) => ChangeAsync(model, "rename", new { from, into });

    private async Task<JsonNode> ChangeAsync(string model, string what, object body) =>
        await (await _client.PostAsync($"{model}/categories/{what}", body)).JsonAsync();

    private async Task<JsonNode> UndoAsync(string model, JsonNode change) =>
        await (await _client.PostAsync(UndoOf(model, change), new { })).JsonAsync();

    private async Task<JsonArray> NoticesAsync(string model, string category, int number)
    {
        using var form = Api.Form(category, ($"{number}.png", Pictures.Tiny(number)));
        return (await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["notices"]!.AsArray();
    }

    private static string UndoOf(string model, JsonNode change) => $"{model}/categories/changes/{change["id"]}/undo";

    private async Task<List<string>> CountsAsync(string model) => [.. (await _client.GetJsonAsync(model))["categories"]!.AsArray()
        .Select(c => $"{c!["name"]} {c["imageCount"]}")];

    /// <summary>The categories in their order, and each image with its own.</summary>
    private async Task<string> StateAsync(string model) => string.Join('\n', [.. await CountsAsync(model),
        .. (await _client.GetJsonAsync($"{model}/images?limit=100"))["items"]!.AsArray()
            .Select(i => $"{i!["id"]} {i["categories"]!.ToJsonString()} {i["split"]} {i["confirmed"]}")]);

    private async Task<string> MultiLabelAsync(params string[] categories)
    {
        var name = $"Several {Guid.CreateVersion7()}";
        var model = await (await _client.PostAsync("/api/v1/models", new { name, kind = "multiLabelImageClassification", categories }))
            .JsonAsync(HttpStatusCode.Created);
        return $"/api/v1/models/{model["id"]}";
    }

    private async Task AddAsync(string model, int number, params string[] categories)
    {
        var form = categories.DefaultIfEmpty("").Aggregate(new Form(), (sofar, category) => sofar.Field("category", category));
        using var content = form.File($"{number}.png", Pictures.Tiny(number)).Content();
        await (await _client.PostAsync($"{model}/images", content, Api.Cancel)).JsonAsync();
    }
}
