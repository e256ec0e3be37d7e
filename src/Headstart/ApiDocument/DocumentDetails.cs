using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Headstart.ApiDocument;

/// <summary>Orders the groups for Swagger UI: the main job first, then administration. Removes schemas that nothing refers to, such as
/// those of enumerations that occur only in lists.</summary>
public sealed class DocumentDetails : IDocumentFilter
{
    public void Apply(OpenApiDocument document, DocumentFilterContext context)
    {
        document.Tags = Groups();
        using var text = new StringWriter();
        document.SerializeAsV31(new OpenApiJsonWriter(text));
        var written = text.ToString();
        foreach (var name in document.Components!.Schemas!.Keys
            .Where(name => !written.Contains($"#/components/schemas/{name}\"", StringComparison.Ordinal)).ToList())
        {
            document.Components.Schemas.Remove(name);
        }
    }

    private static HashSet<OpenApiTag> Groups() => new()
    {
        new() { Name = "Models", Description = "Step 1: create a model and name its categories." },
        new() { Name = "Images", Description = "Step 2: add labelled images." },
        new() { Name = "Texts", Description = "Step 2 for text models: add texts, with or without a category." },
        new() { Name = "Image searches", Description = "Step 2 without images of your own: find openly licensed images on the web." },
        new() { Name = "Imports", Description = "Step 2 for thousands of images: the host processes the upload in the background." },
        new() { Name = "Training", Description = "Step 3: train a version." },
        new() { Name = "Predictions", Description = "Step 4: classify images and texts." },
        new() { Name = "Batch predictions", Description = "Step 4 for thousands of images: send them together, watch the progress, "
            + "download the predictions." },
        new() { Name = "Versions", Description = "The accuracy of each version, and which one is published." },
        new() { Name = "Backbones", Description = "The pretrained networks that this installation has." },
        new() { Name = "Open Inference Protocol", Description = "Predictions for standard clients and gateways." },
        new() { Name = "Keys", Description = "API keys, what they may do, and what they used." },
        new() { Name = "Accounts", Description = "The accounts of this installation, their quotas, and the audit log." },
        new() { Name = "Health", Description = "For load balancers and orchestrators." },
    };
}
