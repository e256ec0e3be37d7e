using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Reports;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>The flaws found in a model's images when they were uploaded, for its report.</summary>
internal static class FlawedImages
{
    public static async Task<IReadOnlyList<FlawReport>> OfAsync(HeadstartDb db, Guid model, CancellationToken cancel)
    {
        var flawed = await db.Examples.Where(i => i.ModelId == model && i.Flaws != ImageFlaws.None).OrderBy(i => i.Id)
            .Select(i => new { i.Id, i.Flaws }).ToListAsync(cancel);
        var most = CommonFlaw * await db.Examples.CountAsync(i => i.ModelId == model, cancel);
        return [.. Enum.GetValues<ImageFlaws>().Where(flaw => flaw != ImageFlaws.None)
            .Select(flaw => (Flaw: flaw, Ids: flawed.FindAll(image => image.Flaws.HasFlag(flaw)).ConvertAll(image => image.Id)))
            .Where(found => found.Ids.Count > 0 && found.Ids.Count <= most)
            .Select(found => new FlawReport(found.Flaw, found.Ids.Count, [.. found.Ids.Take(MostFlawed)]))];
    }
}
