namespace Headstart.Tests.Training;

/// <summary>The automatic choice on five public sets, from upload to prediction.</summary>
public sealed class AccuracyTests(TestHost host) : IClassFixture<TestHost>
{
    [Fact]
    public async Task The_automatic_choice_is_right_in_at_least_93_of_100_photographs_on_average()
    {
        var results = new List<SetResult>();
        foreach (var set in PublicSets.Names)
        {
            results.Add(await PublicSets.LearnAsync(host.Client, SharedData.Folder($"datasets/{set}"), new { backbone = "auto" }, Api.Cancel));
        }

        var table = string.Join(", ", results.Select(r => $"{r.Set} {r.Accuracy:0.000} with {r.Chosen}"));
        TestContext.Current.TestOutputHelper?.WriteLine(table);
        Assert.True(results.Average(r => r.Accuracy) >= 0.93, table);
    }
}
