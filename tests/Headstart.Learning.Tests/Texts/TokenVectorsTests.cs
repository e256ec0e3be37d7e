using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Headstart.Learning.Backbones;
using Headstart.Learning.Tests.Backbones;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

/// <summary>Static token vectors as Model2Vec publishes them: a safetensors file and a tokenizer.json.</summary>
public sealed class TokenVectorsTests : IDisposable
{
    private const string Vocabulary = """{"[PAD]":0,"[UNK]":1,"good":2,"cat":3,"##s":4,"cafe":5,"!":6}""";

    // The vector of the token i is (i, 2 i²), but (0, 10) for 0 and 1, which must never count.
    private static readonly float[] Table = [0, 10, 0, 10, 2, 8, 3, 18, 4, 32, 5, 50, 6, 72];

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("good cat", 5, 26)]
    [InlineData("GOOD cats", 9, 58)]
    [InlineData("good snowman cat", 5, 26)] // an unknown word
    [InlineData("good [CLS] cat", 5, 26)]
    [InlineData("Café!", 11, 122)]
    [InlineData("snowman", 0, 0)]
    [InlineData("", 0, 0)]
    public void A_text_is_the_mean_of_its_known_tokens_scaled_to_length_one(string text, float x, float y)
    {
        using var vectors = Found(Safetensors(Floats(Table)));

        var length = MathF.Max(MathF.Sqrt(x * x + y * y), float.Epsilon);
        Assert.Equal([x / length, y / length], vectors.Encode(text), (a, b) => MathF.Abs(a - b) < 1e-6);
        Assert.Equal(("tiny", RegisteredTextKind.Sentences), (vectors.Id, vectors.Kind));
    }

    [Theory]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void Values_of_16_bits_are_read(string type)
    {
        byte[] values = type == "F16" ? MemoryMarshal.AsBytes(Table.Select(value => (Half)value).ToArray().AsSpan()).ToArray()
            : [.. Table.SelectMany(value => BitConverter.GetBytes(value)[2..])];
        using var wide = Found(Safetensors(Floats(Table)));
        var expected = wide.Encode("good cats!");
        using var vectors = Found(Safetensors(values, type));

        Assert.Equal(expected, vectors.Encode("good cats!"));
    }

    [Fact]
    public void The_table_of_sentence_transformers_is_read_and_only_a_limited_number_of_tokens()
    {
        using var vectors = Found(Safetensors(Floats(Table), name: "embedding.weight"), description: """{"maxTokens":3}""");

        Assert.Equal(vectors.Encode("good cat good"), vectors.Encode("good cat good cat cat cat"));
        Assert.All(vectors.Encode(string.Concat(Enumerable.Repeat("good cat ", 5_000))), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void They_are_candidates_by_themselves_and_joined_and_are_read_again()
    {
        using var vectors = Found(Safetensors(Floats(Table)));
        var candidates = TextCandidates.Fit(new(["good cat", "cats!"], ["good good"]), [vectors], seed: 1, null,
            TestContext.Current.CancellationToken);

        Assert.Equal(TextCandidates.Ids([vectors]).Order(), candidates.Select(candidate => candidate.Id).Order());
        Assert.Equal("skipgram+tfidf", candidates[TextCandidates.Favourite(candidates)].Id);
        Assert.All(TextCandidates.IdsWith(vectors), id =>
        {
            var features = candidates.Single(candidate => candidate.Id == id);
            using var again = TextFeatures.Load(new MemoryStream(Reviews.Bytes(features)), [vectors]);
            Assert.Equal(features.Of("the good café"), again.Of("the good café"));
        });
    }

    [Fact]
    public void The_weights_of_a_network_in_onnx_are_left_alone()
    {
        Write("model.safetensors", Safetensors(Floats(Table)));
        Write("model.onnx", [1, 2, 3]);
        Write("vocab.txt", [1, 2, 3]);

        var (found, problems) = RegisteredText.Find([_folder.Path]);

        Assert.Empty(problems);
        Assert.EndsWith("model.onnx", Assert.Single(found).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_are_downloaded_with_their_vocabulary()
    {
        byte[] table = Safetensors(Floats(Table)), vocabulary = Tokenizer(Vocabulary);
        using var server = new LoopbackServer(request =>
            request.FileAsync(request.Path.EndsWith("json", StringComparison.Ordinal) ? vocabulary : table));
        PublishedFile File(string name, byte[] bytes) => new(new Uri(server.Address, name), bytes.Length,
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));
        var entry = new TextCatalogueEntry("tiny", File("model.safetensors", table), File("tokenizer.json", vocabulary), "here", "MIT",
            "none")
        {
            Tokenizer = Headstart.Learning.Texts.Tokenizer.PlainWordPiece,
        };

        var place = await new BackboneDownload().FetchAsync(entry, _folder.Path, cancel: TestContext.Current.CancellationToken);

        Assert.Equal(["model.safetensors", "tokenizer.json"], Directory.GetFiles(place).Select(Path.GetFileName)
            .Where(name => !name!.EndsWith(".lock", StringComparison.Ordinal)).Order());
        var (found, problems) = RegisteredText.Find([_folder.Path]);
        Assert.Empty(problems);
        Assert.Equal(entry.Sha256, Assert.Single(found).Sha256);
    }

    [Theory]
    [InlineData("", "not the length of its header")]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "not valid JSON")]
    [InlineData("null", "has no tensor 'embeddings'")]
    [InlineData("""{"__metadata__":{"format":"pt"},"bert.weight":{"dtype":"F32","shape":[7,2],"data_offsets":[0,56]}}""",
        "has no tensor 'embeddings'")]
    [InlineData("""{"embeddings":{"dtype":"I8","shape":[7,2],"data_offsets":[0,14]}}""", "the type 'I8'")]
    [InlineData("""{"embeddings":{}}""", "the type ''")]
    [InlineData("""{"embeddings":{"dtype":"F32","shape":[14],"data_offsets":[0,56]}}""", "the shape [14]")]
    [InlineData("""{"embeddings":{"dtype":"F32","data_offsets":[0,56]}}""", "the shape []")]
    [InlineData("""{"embeddings":{"dtype":"F32","shape":[0,2],"data_offsets":[0,0]}}""", "the shape [0, 2]")]
    [InlineData("""{"embeddings":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,56]}}""",
        "the shape [9223372036854775807, 2]")]
    [InlineData("""{"embeddings":{"dtype":"F32","shape":[200000000,200000000],"data_offsets":[0,56]}}""", "at most 268435456 values")]
    [InlineData("""{"embeddings":{"dtype":"F32","shape":[8,2],"data_offsets":[0,64]}}""", "8 x 2 values that its header promises")]
    [InlineData("""{"embeddings":{"dtype":"F32","shape":[7,2],"data_offsets":[56,0]}}""", "7 x 2 values that its header promises")]
    [InlineData("""{"embeddings":{"dtype":"F32","shape":[7,2],"data_offsets":[-56,0]}}""", "7 x 2 values that its header promises")]
    [InlineData("""{"embeddings":{"dtype":"F32","shape":[7,2],"data_offsets":[0,56]},"weights":null}""",
        "tensor 'weights' is not supported")]
    public void A_file_that_cannot_be_used_is_a_problem_and_no_error(string header, string sentence)
    {
        Write("tokenizer.json", Tokenizer(Vocabulary));
        Write("model.safetensors", header.Length == 0 ? [] : WithHeader(header, Floats(Table)));

        var (found, problems) = RegisteredText.Find([_folder.Path]);

        Assert.Empty(found);
        Assert.Contains(sentence, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1_000_000)]
    [InlineData(long.MaxValue)]
    public void A_length_of_the_header_that_cannot_be_is_refused(long length)
    {
        var bytes = Safetensors(Floats(Table));
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        Write("tokenizer.json", Tokenizer(Vocabulary));
        Write("model.safetensors", bytes);

        Assert.Contains("not the length of its header", Assert.Single(RegisteredText.Find([_folder.Path]).Problems),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_vocabulary_is_a_problem_and_no_error()
    {
        Write("model.safetensors", Safetensors(Floats(Table)));
        Write("vocab.txt", "[UNK]"u8.ToArray());

        Assert.Contains("it has no tokenizer.json beside it", Assert.Single(RegisteredText.Find([_folder.Path]).Problems),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"[UNK]":0,"good":1}""", "has 7 token vectors, but its vocabulary has 2 tokens")]
    [InlineData("""{"[UNK]":0,"a":1,"b":2,"c":3,"d":4,"e":5,"f":7}""", "not numbered from 0")]
    [InlineData("""{"[UNK]":0,"a":1,"b":2,"c":3,"d":4,"e":5,"f":5}""", "not numbered from 0")]
    [InlineData("""{"[UNK]":0,"a":1,"b":2,"c":3,"d":4,"e":5,"f\n":6}""", "has a line break")]
    [InlineData("""{"[UNK]":0,"a":1,"b":2,"c":3,"d":4,"e":5,"":6}""", "is empty")]
    [InlineData("""{"[UNK]":"0"}""", "not valid JSON")]
    [InlineData("""[["a",1.5]]""", "not valid JSON")]
    [InlineData("""null""", "only WordPiece is supported")]
    [InlineData("""{"g":0,"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}""", "[UNK]")]
    public void A_vocabulary_that_does_not_fit_is_refused(string vocabulary, string sentence)
    {
        using var vectors = Found(Safetensors(Floats(Table)), Tokenizer(vocabulary));

        var refusal = Assert.Throws<TextFeaturesException>(() => vectors.Encode("good")).Message;
        Assert.StartsWith("model.safetensors cannot be used: ", refusal, StringComparison.Ordinal);
        Assert.Contains(sentence, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not JSON", "not valid JSON")]
    [InlineData("{}", "its tokenizer is not named")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",-1.5]]}}""", "its tokenizer is Unigram")]
    public void Another_tokenizer_is_refused(string content, string sentence)
    {
        using var vectors = Found(Safetensors(Floats(Table)), Encoding.UTF8.GetBytes(content));

        Assert.Contains(sentence, Assert.Throws<TextFeaturesException>(() => vectors.Encode("good")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_is_not_a_number_is_refused()
    {
        using var vectors = Found(Safetensors(Floats([.. Table[..^1], float.NaN])));

        Assert.Contains("a value that is not a number", Assert.Throws<TextFeaturesException>(() => vectors.Encode("good")).Message,
            StringComparison.Ordinal);
    }

    private static byte[] Safetensors(byte[] values, string type = "F32", string name = "embeddings") => WithHeader(
        $$$"""{"__metadata__":{"format":"pt"},"{{{name}}}":{"dtype":"{{{type}}}","shape":[7,2],"data_offsets":[0,{{{values.Length}}}]}}""",
        values);

    private static byte[] WithHeader(string header, byte[] values)
    {
        var length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, Encoding.UTF8.GetByteCount(header));
        return [.. length, .. Encoding.UTF8.GetBytes(header), .. values];
    }

    private static byte[] Floats(float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static byte[] Tokenizer(string vocabulary) =>
        Encoding.UTF8.GetBytes($$$"""{"version":"1.0","model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{{{vocabulary}}}}}""");

    private RegisteredText Found(byte[] table, byte[]? tokenizer = null, string? description = null)
    {
        Write("model.safetensors", table);
        Write("tokenizer.json", tokenizer ?? Tokenizer(Vocabulary));
        if (description is not null)
        {
            Write("model.json", Encoding.UTF8.GetBytes(description));
        }

        var (found, problems) = RegisteredText.Find([_folder.Path]);
        Assert.Empty(problems);
        return Assert.Single(found);
    }

    private void Write(string name, byte[] content) =>
        File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(_folder.File("text/tiny")).FullName, name), content);
}
