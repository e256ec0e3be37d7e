using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Headstart.Blobs;
using Headstart.Tests.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Reports;

/// <summary>The report as a page for people.</summary>
[Collection<TrainingHost>]
public sealed partial class ReportPageTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task The_page_says_what_the_report_says_and_needs_nothing_else()
    {
        var model = await _client.PetsAsync();
        using var copy = Api.Form("dogs", [("copy.jpg", [.. File.ReadAllBytes(Pets.Dogs[0]), 0])]); // other bytes, the same picture
        await (await _client.PostAsync($"{model}/images", copy, Api.Cancel)).JsonAsync();
        await _client.TrainAsync(model);

        var response = await _client.GetAsync($"{model}/versions/1/report.html", Api.Cancel);

        Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal("default-src 'none'; style-src 'unsafe-inline'; img-src data:",
            response.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        var page = await PageAsync(response);
        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        string[] expected = [(string)report["sentence"]!, (string)report["head"]!["sentence"]!, "cats", "dogs", "headstart-small",
            (string)(await _client.GetJsonAsync(model))["name"]!];
        Assert.All(expected, text => Assert.Contains(WebUtility.HtmlEncode(text), page));
        Assert.Equal(2 + report["precisionRecall"]!.AsArray().Count, Regex.Count(page, "<svg"));
        Assert.True(Regex.Count(page, "<img src=\"data:image/jpeg;base64,") >= report["hardest"]!.AsArray().Count);
        Assert.Contains("dogs<br>copy.jpg", page); // among the duplicates
        Assert.Contains("areas support", page); // this backbone can say where it looks
        Assert.InRange(page.Length, 50_000, 2_000_000);
        Assert.Empty(Loads().Matches(page));
    }

    [Fact]
    public async Task Names_that_look_like_markup_stay_text_and_an_image_deleted_since_is_shown_without_a_picture()
    {
        string[] hostile = ["<script>alert(1)</script>", "\"><img src=x>"];
        var model = await _client.NewModelAsync(hostile);
        await (await _client.SendAsync(HttpMethod.Patch, model, new { name = "</title><svg/onload='alert(2)'>" + Guid.CreateVersion7() }))
            .JsonAsync();
        foreach (var (category, folder) in hostile.Zip((string[])["cats", "dogs"]))
        {
            using var form = Api.Form(category, Pets.Of(folder).Take(12).Select((file, i) => ($"<i>'{i}'.jpg", File.ReadAllBytes(file))));
            await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();
        }

        await _client.TrainAsync(model);
        var page = await PageAsync(await _client.GetAsync($"{model}/versions/1/report.html", Api.Cancel));

        Assert.All(hostile, name => Assert.Contains(WebUtility.HtmlEncode(name), page));
        Assert.DoesNotContain("<i>", page);
        Assert.DoesNotContain("<img src=x", page);
        Assert.DoesNotContain("<svg/", page);
        Assert.Empty(Loads().Matches(page));
        Assert.Contains("alt=\"&lt;i&gt;&#39;", page);

        foreach (var image in (await _client.GetJsonAsync($"{model}/images?limit=100"))["items"]!.AsArray())
        {
            await _client.SendAsync(HttpMethod.Delete, $"{model}/images/{image!["id"]}");
        }

        page = await PageAsync(await _client.GetAsync($"{model}/versions/1/report.html", Api.Cancel));
        Assert.DoesNotContain("<img", page);
        Assert.Contains("deleted since", page);
    }

    [Fact]
    public async Task Where_the_version_cannot_predict_the_page_has_photographs_without_heat()
    {
        var model = await _client.PetsAsync(12);
        await _client.TrainAsync(model);
        var id = Guid.Parse(model[^36..]);
        await host.QueryAsync(db => db.Versions.Where(v => v.ModelId == id)
            .ExecuteUpdateAsync(set => set.SetProperty(v => v.Artifact, new byte[32])));

        var page = await PageAsync(await _client.GetAsync($"{model}/versions/1/report.html", Api.Cancel));

        Assert.Contains("<img src=\"data:image/jpeg;base64,", page);
        Assert.DoesNotContain("areas support", page);
    }

    [Fact]
    public async Task Another_accounts_page_and_that_of_a_version_that_there_is_not_are_not_found()
    {
        var model = await _client.PetsAsync(12);
        await _client.TrainAsync(model);
        using var other = await host.OtherAccountAsync();

        await (await other.GetAsync($"{model}/versions/1/report.html", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
        await (await _client.GetAsync($"{model}/versions/2/report.html", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.ClientWith(null).GetAsync($"{model}/versions/1/report.html", Api.Cancel))
            .StatusCode);
    }

    [Fact]
    public async Task A_report_of_an_early_version_has_fewer_sections_and_one_of_many_categories_a_part_of_the_matrix()
    {
        var model = await _client.PetsAsync(12);
        await _client.TrainAsync(model);
        var report = (await _client.GetJsonAsync($"{model}/versions/1/report")).AsObject();
        string[] early = ["accuracy", "accuracyInterval", "accuracyFrom", "crossValidation", "categories", "classes", "confusion",
            "backbones", "trainableParameters"];
        foreach (var field in report.Select(field => field.Key).Except(early).ToList())
        {
            report.Remove(field);
        }

        const int many = 300;
        report["categories"] = JsonSerializer.SerializeToNode(Enumerable.Range(0, many).Select(k => $"category {k}"));
        report["confusion"] = JsonSerializer.SerializeToNode(Enumerable.Range(0, many)
            .Select(truth => Enumerable.Range(0, many).Select(k => k == truth ? 9 : k == 7 ? 1 : 0)));
        await ReplaceReportAsync(Guid.Parse(model[^36..]), report);

        var page = await PageAsync(await _client.GetAsync($"{model}/versions/1/report.html", Api.Cancel));

        Assert.Equal(["Accuracy", "Confusion matrix", "Metrics per category", "Backbones tried", "Head"],
            Headings().Matches(page).Select(match => match.Groups[1].Value));
        Assert.Contains("the 150 categories with the most mistakes", page);
        Assert.Contains("<span>category 7</span>", page);
        Assert.InRange(page.Length, 150 * 150, 1_000_000);
    }

    private async Task ReplaceReportAsync(Guid model, JsonObject report)
    {
        var sha256 = await host.Services.GetRequiredService<IBlobStore>().PutAsync(JsonSerializer.SerializeToUtf8Bytes(report), Api.Cancel);
        await host.QueryAsync(db => db.Versions.Where(v => v.ModelId == model)
            .ExecuteUpdateAsync(set => set.SetProperty(v => v.Report, sha256)));
    }

    private static async Task<string> PageAsync(HttpResponseMessage response)
    {
        var page = await response.Content.ReadAsStringAsync(Api.Cancel);
        Assert.True(response.StatusCode == HttpStatusCode.OK, page);
        return page;
    }

    [GeneratedRegex("<h2>(.*?)</h2>")]
    private static partial Regex Headings();

    /// <summary>Scripts, and whatever a browser would fetch.</summary>
    [GeneratedRegex("<script|<link|<iframe|<object|https?://|url\\(|@import|javascript:|src=\"(?!data:)|<[^>\"]*\\son\\w+=",
        RegexOptions.IgnoreCase)]
    private static partial Regex Loads();
}
