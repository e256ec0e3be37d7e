using Headstart.Learning.Backbones;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Texts;

/// <summary>A sentence network that can be downloaded by name.</summary>
/// <param name="Id">The name of its folder.</param>
/// <param name="Network">The file of the network, called <see cref="NetworkName"/> here.</param>
/// <param name="Vocabulary">The tokenizer's vocabulary, called <see cref="VocabularyName"/> here.</param>
/// <param name="Source">Page that describes it.</param>
/// <param name="Licence">SPDX name of the weights' licence.</param>
/// <param name="Languages">Languages it was trained on.</param>
public sealed record TextCatalogueEntry(string Id, PublishedFile Network, PublishedFile Vocabulary, string Source, string Licence,
    string Languages)
{
    public const string ReadingName = "model.json";

    /// <summary>How it is used.</summary>
    public SentenceReading Reading { get; init; } = SentenceReading.Usual;

    /// <summary>The tokenizer that reads its vocabulary.</summary>
    public Tokenizer Tokenizer { get; init; }

    public string NetworkName => SentenceFiles.NetworkName(Tokenizer);

    public string VocabularyName => SentenceFiles.VocabularyName(Tokenizer);

    /// <summary>The <see cref="RegisteredText.Sha256"/> of these files.</summary>
    public string Sha256 => SentenceFiles.SumOf(Convert.FromHexString(Network.Sha256), Convert.FromHexString(Vocabulary.Sha256), Reading);

    /// <summary>Size of both files.</summary>
    public long Bytes => Network.Bytes + Vocabulary.Bytes;
}

/// <summary>
/// Sentence networks that can be downloaded by name; only on request, because they are large. Their hashes are those stated by other
/// projects that downloaded the same files (for multilingual distiluse one project); arctic-embed-xs was compared byte for byte with a
/// NuGet package that contains it, and CLIP's vocabulary is stated by many. None of the networks was run when this list was made. Files
/// with another hash are discarded.
/// </summary>
public static class TextCatalogue
{
    private const string Host = "https://huggingface.co/";

    /// <summary>The vocabulary of uncased BERT, which many networks share.</summary>
    private const string BertUncased = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3";

    private static readonly SentenceReading FirstToken = new() { Pooling = Pooling.Cls };

    public static IReadOnlyList<TextCatalogueEntry> Entries { get; } =
    [
        Entry("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2", "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
            new(90_405_214, "6fd5d72fe4589f189f8ebc006442dbb529bb7ce38f8082112682524616046452"), new(231_508, BertUncased)),
        Entry("bge-small-en-v1.5", "BAAI/bge-small-en-v1.5", "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a",
            new(133_093_490, "828e1496d7fabb79cfa4dcd84fa38625c0d3d21da474a00f08db0f559940cf35"), new(231_508, BertUncased)) with
        { Licence = "MIT", Reading = FirstToken },
        Entry("arctic-embed-xs", "Snowflake/snowflake-arctic-embed-xs", "d8c86521100d3556476a063fc2342036d45c106f",
            new(90_387_631, "cf2698d30ff05da02c70a088313bad56e5c2f401d734cb24a8390d446111936c"), new(231_508, BertUncased)) with
        { Reading = FirstToken },
        Entry("multilingual-e5-small", "intfloat/multilingual-e5-small", "614241f622f53c4eeff9890bdc4f31cfecc418b3",
            new(470_268_510, "ca456c06b3a9505ddfd9131408916dd79290368331e7d76bb621f1cba6bc8665"),
            new(5_069_051, "cfc8146abe2a0488e9e2a0c56de7952f7c11ab059eca145a0a727afce0db2865"), Tokenizer.SentencePiece) with
        { Licence = "MIT", Languages = "about a hundred", Reading = new() { Prefix = "query: " } },
        Entry("distiluse-base-multilingual-cased-v2", "sentence-transformers/distiluse-base-multilingual-cased-v2", "main",
            new(539_049_415, "698b5efe2a2ec26e6ec492906c0efa168659994e9838a131f88994fb6f637520"),
            new(995_526, "fe0fda7c425b48c516fc8f160d594c8022a0808447475c1a7c6d6479763f310c")) with
        { Languages = "about fifty" },
        Entry("potion-base-8M", "minishlab/potion-base-8M", "bf8b056651a2c21b8d2565580b8569da283cab23",
            new(30_236_760, "f65d0f325faadc1e121c319e2faa41170d3fa07d8c89abd48ca5358d9a223de2"),
            new(683_666, "e67e803f624fb4d67dea1c730d06e1067e1b14d830e2c2202569e3ef0f70bb50"), Tokenizer.PlainWordPiece) with
        { Licence = "MIT" },
        Words("clip-vit-b32-text-q8", "Xenova/clip-vit-base-patch32", "d15189d7028b43f1d3e65039190477f6af591c2a",
            "text_model_quantized.onnx", new(64_504_507, "73baab855d406190da9faa498cfedf65f15cf309f4cc7385b7b032e6d08e5c3a"),
            "clip-vit-b32"),
        Words("tinyclip-8m-text", "onnx-community/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M-ONNX", "9463a9c508a344c837ffefe9d724f3827bf2dc79",
            "model.onnx", new(94_071_688, "31d28cb07209533d10fc4fef73ac324ce17de6741a2372e7e1531a4ac8fdaeb2"), "tinyclip-8m"),
    ];

    public static TextCatalogueEntry? Find(string id) => Entries.FirstOrDefault(entry => entry.Id == id);

    private static TextCatalogueEntry Entry(string id, string repository, string revision, Sum network, Sum vocabulary,
        Tokenizer tokenizer = Tokenizer.WordPiece)
    {
        var files = $"{Host}{repository}/resolve/{revision}/";
        var place = tokenizer is Tokenizer.PlainWordPiece ? files : $"{files}onnx/";
        return new(id, new(new($"{place}{SentenceFiles.NetworkName(tokenizer)}"), network.Bytes, network.Sha256),
            new(new($"{files}{SentenceFiles.VocabularyName(tokenizer)}"), vocabulary.Bytes, vocabulary.Sha256), Host + repository,
            "Apache-2.0", "English")
        { Tokenizer = tokenizer };
    }

    /// <summary>The text network of a CLIP; all share one vocabulary.</summary>
    private static TextCatalogueEntry Words(string id, string repository, string revision, string file, Sum network, string space)
    {
        var files = $"{Host}{repository}/resolve/{revision}/";
        return new(id, new(new($"{files}onnx/{file}"), network.Bytes, network.Sha256),
            new(new($"{files}{SentenceFiles.VocabularyName(Tokenizer.BytePairs)}"), 524_619,
                "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a"), Host + repository, "MIT", "English")
        {
            Tokenizer = Tokenizer.BytePairs,
            Reading = new() { Output = "text_embeds", Pooling = Pooling.None, MaxTokens = 77, Space = space },
        };
    }

    private readonly record struct Sum(long Bytes, string Sha256);
}
