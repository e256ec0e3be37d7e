namespace Headstart.Learning.Texts;

/// <summary>A sentence network that is known to be good, to be put into the folder <c>text</c> by hand.</summary>
/// <param name="Id">The name of its folder.</param>
/// <param name="Files">What that holds.</param>
/// <param name="Address">Where it is published.</param>
/// <param name="Licence">SPDX name of the weights' licence.</param>
/// <param name="Languages">What it knows.</param>
public sealed record TextCatalogueEntry(string Id, IReadOnlyList<string> Files, string Address, string Licence, string Languages);

/// <summary>
/// Sentence networks we know by name. None was fetched or run when this list was made, so no sums are stated and none is fetched by itself: a file
/// without a sum is not to be trusted unseen.
/// </summary>
public static class TextCatalogue
{
    public static IReadOnlyList<TextCatalogueEntry> Entries { get; } =
    [
        new("all-MiniLM-L6-v2", ["model.onnx", "vocab.txt"], "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2", "Apache-2.0", "English"),
        new("distiluse-base-multilingual-cased-v2", ["model.onnx", "vocab.txt"], "https://huggingface.co/sentence-transformers/distiluse-base-multilingual-cased-v2",
            "Apache-2.0", "about fifty"),
    ];
}
