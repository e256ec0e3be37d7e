using System.Security.Cryptography;
using Headstart.Learning.Backbones;

namespace Headstart.Learning.Texts;

/// <summary>A sentence network that is known by name.</summary>
/// <param name="Id">The name of its folder.</param>
/// <param name="Network">The ONNX file, <see cref="NetworkName"/> here.</param>
/// <param name="Vocabulary">WordPiece's, <see cref="VocabularyName"/> here.</param>
/// <param name="Source">Where it is described.</param>
/// <param name="Licence">SPDX name of the weights' licence.</param>
/// <param name="Languages">What it knows.</param>
public sealed record TextCatalogueEntry(string Id, PublishedFile Network, PublishedFile Vocabulary, string Source, string Licence,
    string Languages)
{
    public const string NetworkName = "model.onnx";
    public const string VocabularyName = "vocab.txt";

    /// <summary>What <see cref="RegisteredText.Sha256"/> is of these files.</summary>
    public string Sha256 => Convert.ToHexStringLower(
        SHA256.HashData([.. Convert.FromHexString(Network.Sha256), .. Convert.FromHexString(Vocabulary.Sha256)]));

    /// <summary>Of both files.</summary>
    public long Bytes => Network.Bytes + Vocabulary.Bytes;
}

/// <summary>
/// Sentence networks that can be fetched by name; never unasked, as they are large. Their sums are those that other projects state who
/// fetched the same files (all-MiniLM-L6-v2's and both vocabularies' many, the multilingual network's one); neither network was run when
/// this list was made. A file of another sum is thrown away.
/// </summary>
public static class TextCatalogue
{
    private const string Publisher = "https://huggingface.co/sentence-transformers/";

    public static IReadOnlyList<TextCatalogueEntry> Entries { get; } =
    [
        Entry("all-MiniLM-L6-v2", "1110a243fdf4706b3f48f1d95db1a4f5529b4d41", "English",
            90_405_214, "6fd5d72fe4589f189f8ebc006442dbb529bb7ce38f8082112682524616046452",
            231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
        Entry("distiluse-base-multilingual-cased-v2", "main", "about fifty",
            539_049_415, "698b5efe2a2ec26e6ec492906c0efa168659994e9838a131f88994fb6f637520",
            995_526, "fe0fda7c425b48c516fc8f160d594c8022a0808447475c1a7c6d6479763f310c"),
    ];

    public static TextCatalogueEntry? Find(string id) => Entries.FirstOrDefault(entry => entry.Id == id);

    private static TextCatalogueEntry Entry(string id, string revision, string languages, long bytes, string sha256, long vocabularyBytes,
        string vocabularySha256) => new(
        id,
        new(new($"{Publisher}{id}/resolve/{revision}/onnx/model.onnx"), bytes, sha256),
        new(new($"{Publisher}{id}/resolve/{revision}/vocab.txt"), vocabularyBytes, vocabularySha256),
        Publisher + id, "Apache-2.0", languages);
}
