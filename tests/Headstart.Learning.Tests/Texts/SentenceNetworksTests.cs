using Google.Protobuf;
using Headstart.Learning.Backbones;
using Headstart.Learning.Tests.Onnx;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

/// <summary>
/// Sentence networks as they are published, with a network that gives each token its own id and the number 1, so that what was read and
/// pooled can be told from the vector.
/// </summary>
public sealed class SentenceNetworksTests : IDisposable
{
    private const int Begin = 0;
    private const int End = 2;
    private const int Unknown = 3;
    private const int Good = 4; // of the vocabulary below, one further each, as XLM-R counts
    private const int Cat = 5;
    private const int Space = 6;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("good cat", new[] { Begin, Good, Cat, End })]
    [InlineData("ｇｏｏｄ cat", new[] { Begin, Good, Cat, End })] // NFKC
    [InlineData("good ☃", new[] { Begin, Good, Space, Unknown, End })]
    public void Sentence_pieces_have_the_numbers_of_xlm_r(string text, int[] ids)
    {
        using var network = Network("", SentencePieces());

        Assert.Equal([(float)ids.Average(), 1], network.Sentences.Encode(text));
    }

    [Fact]
    public void Token_vectors_are_pooled_as_the_description_says()
    {
        using var mean = Network("", SentencePieces());
        using var first = Network("""{"pooling":"cls"}""", SentencePieces());

        Assert.Equal([Begin, 1], first.Sentences.Encode("good cat"));
        Assert.NotEqual(mean.Sha256, first.Sha256); // other numbers: what was learned from one must not read the other
    }

    [Fact]
    public void A_prefix_stands_before_each_text_and_a_limit_cuts_it()
    {
        using var prefixed = Network("""{"prefix":"good "}""", SentencePieces());
        using var limited = Network("""{"maxTokens":3}""", SentencePieces());

        Assert.Equal([(Begin + Good + Cat + End) / 4f, 1], prefixed.Sentences.Encode("cat"));
        Assert.Equal([(Begin + Good + End) / 3f, 1], limited.Sentences.Encode("good cat good cat"));
        using var longer = Network("", SentencePieces());
        Assert.All(longer.Sentences.Encode(string.Concat(Enumerable.Repeat("good cat ", 2_000))), value =>
            Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void One_of_several_outputs_is_used()
    {
        using var network = Network("""{"output":"whole","pooling":"none"}""", SentencePieces());

        Assert.Equal([Begin + Good + Cat + End, 4], network.Sentences.Encode("good cat"));
    }

    [Theory]
    [InlineData("""{"output":"pooler"}""", "it has no output 'pooler'")]
    [InlineData("""{"pooling":"none"}""", "with 'pooling' none one per sentence")]
    public void What_the_network_does_not_have_is_said(string description, string sentence)
    {
        using var network = Network(description, SentencePieces());

        Assert.Contains(sentence, Assert.Throws<TextFeaturesException>(() => network.Sentences).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_could_not_be_opened_once_is_opened_the_next_time()
    {
        using var network = Network("", SentencePieces());
        File.Move(network.Path, _folder.File("elsewhere"));
        Assert.Throws<TextFeaturesException>(() => network.Encode("good cat"));

        File.Move(_folder.File("elsewhere"), network.Path);

        Assert.Equal(2, network.Encode("good cat").Length);
    }

    [Fact]
    public void A_text_that_the_network_cannot_read_is_a_refusal_and_no_error()
    {
        using var network = Network("", SentencePieces(), tokens: 7); // not of the last piece

        Assert.Contains("model.onnx cannot be used", Assert.Throws<TextFeaturesException>(() => TextCandidates.Fit(
            new(["good", "cats"], []), [network], seed: 1, null, TestContext.Current.CancellationToken, network.Id)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"pooling":"first"}""", "model.json is not valid JSON")]
    [InlineData("""{"maxTokens":2}""", "'maxTokens' must be at least 3")]
    [InlineData("""{"sha256":"00"}""", "but its description says 00")]
    public void A_description_that_cannot_be_is_a_problem_and_no_error(string description, string sentence)
    {
        Write(description, SentencePieces());

        var (found, problems) = RegisteredText.Find([_folder.Path]);

        Assert.Empty(found);
        Assert.Contains(sentence, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_vocabulary_that_is_none_is_refused()
    {
        using var network = Network("", "no protobuf"u8.ToArray());

        Assert.Contains("model.onnx cannot be used", Assert.Throws<TextFeaturesException>(() => network.Sentences).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_assembly_without_a_network_is_a_problem_and_no_error()
    {
        var folder = Directory.CreateDirectory(_folder.File("text")).FullName;
        File.Copy(typeof(SentenceNetworksTests).Assembly.Location, Path.Combine(folder, "ours.dll"));
        File.WriteAllText(Path.Combine(folder, "theirs.dll"), "MZ");

        var (found, problems) = RegisteredText.Find([_folder.Path]);

        Assert.Empty(found);
        Assert.Contains(problems, problem => problem.Contains("no resource whose name ends in 'model.onnx'", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("not a .NET assembly", StringComparison.Ordinal));
    }

    [Fact]
    public void MiniLM_comes_as_a_package_and_knows_what_sentences_mean()
    {
        Assert.SkipUnless(Directory.Exists(BackboneFolders.Bundled), "This was built with BundledBackbones=false.");
        var (found, problems) = RegisteredText.Find([BackboneFolders.Bundled]);
        Assert.Empty(problems);
        using var network = Assert.Single(found);
        Assert.Equal("all-MiniLM-L6-v2", network.Id);

        using var features = SentenceFeatures.Fit(network, new([], Reviews.Subjects(20, seed: 7)), TestContext.Current.CancellationToken);

        Assert.Equal([384, 384], network.Sentences.Sections); // the sentence, and the fourth of six layers
        Assert.True(Reviews.Cosine(features, "The dog barked all night.", "A hound was howling until morning.")
            > 0.2 + Reviews.Cosine(features, "The dog barked all night.", "Interest rates rose by a quarter of a point."));
    }

    [Fact]
    public void What_all_texts_share_is_taken_off_and_kept_with_the_features()
    {
        using var network = Network("", SentencePieces());
        using var features = SentenceFeatures.Fit(network, new(["good cat"], ["good"]), TestContext.Current.CancellationToken);
        using var file = new MemoryStream();
        features.Save(file);
        file.Position = 0;
        using var again = TextFeatures.Load(file, [network]);

        // Good cat: (0 + 4 + 5 + 2) / 4 = 2.75; good: (0 + 4 + 2) / 3 = 2. The other number is 1 for all.
        Assert.Equal([1, 0], features.Of("good cat"));
        Assert.Equal([-1, 0], features.Of("good"));
        Assert.Equal(features.Of("cat"), again.Of("cat"));
    }

    [Fact]
    public void The_favourite_joins_a_sentence_network_to_the_words_of_the_texts()
    {
        using var network = Network("", SentencePieces());
        string[] texts = Reviews.Subjects(8, seed: 3);
        var candidates = TextCandidates.Fit(new(texts, Reviews.Subjects(100, seed: 4)), [network], seed: 1, null,
            TestContext.Current.CancellationToken);

        Assert.Equal("tiny+skipgram-sif+tfidf", candidates[TextCandidates.Favourite(candidates)].Id);
        Assert.Equal(TextCandidates.Ids([network]).Order(), candidates.Select(candidate => candidate.Id).Order());
        foreach (var named in candidates)
        {
            var alone = Assert.Single(TextCandidates.Fit(new(texts, Reviews.Subjects(100, seed: 4)), [network], seed: 1, null,
                TestContext.Current.CancellationToken, named.Id));
            Assert.Equal(named.Of("the good cat"), alone.Of("the good cat"));
        }
    }

    [Fact]
    public void What_the_catalogue_names_is_read_as_it_is_published()
    {
        Assert.All(TextCatalogue.Entries, entry =>
        {
            Assert.Matches($"^{entry.Source}/resolve/([0-9a-f]{{40}}|main)/(onnx/(text_)?model(_quantized)?.onnx|model.safetensors)$",
                entry.Network.Address!.AbsoluteUri);
            Assert.Equal(entry.VocabularyName, entry.Vocabulary.Address!.Segments[^1]);
        });
        Assert.Equal(TextCatalogue.Entries.Count, TextCatalogue.Entries.Select(entry => entry.Sha256).Distinct().Count());
        Assert.Equal(("query: ", Tokenizer.SentencePiece), (TextCatalogue.Find("multilingual-e5-small")!.Reading.Prefix,
            TextCatalogue.Find("multilingual-e5-small")!.Tokenizer));
    }

    private RegisteredText Network(string description, byte[] vocabulary, int tokens = 10)
    {
        Write(description, vocabulary, tokens);
        var (found, problems) = RegisteredText.Find([_folder.Path]);
        Assert.Empty(problems);
        return Assert.Single(found);
    }

    private void Write(string description, byte[] vocabulary, int tokenVectors = 10)
    {
        var folder = Directory.CreateDirectory(_folder.File("text/tiny")).FullName;
        File.Delete(Path.Combine(folder, "model.json"));
        if (description.Length > 0)
        {
            File.WriteAllText(Path.Combine(folder, "model.json"), description);
        }

        File.WriteAllBytes(Path.Combine(folder, "sentencepiece.bpe.model"), vocabulary);
        var network = new TinyNetwork();
        network.Model.Graph.Input.Clear();
        foreach (var name in (string[])["input_ids", "attention_mask"])
        {
            network.Model.Graph.Input.Add(Value(name, -1, -1));
            network.Model.Graph.Input[^1].Type.TensorType.ElemType = 7;
        }

        var table = network.Weight(tokenVectors, 2);
        var values = network.Model.Graph.Initializer[^1].FloatData;
        for (var i = 0; i < values.Count; i++)
        {
            values[i] = i % 2 == 0 ? i / 2 : 1;
        }

        var tokens = network.Op("Gather", [table, "input_ids"]);
        var whole = network.Op("ReduceSum", [tokens, network.Integers(1)], ("keepdims", 0L));
        network.Op("Identity", [whole]);
        network.Model.Graph.Node[^1].Output[0] = "whole";
        network.Model.Graph.Output.Add([Value(tokens, -1, -1, 2), Value("whole", -1, 2)]);
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), network.Model.ToByteArray());
    }

    private static Headstart.Learning.Onnx.ValueInfoProto Value(string name, params long[] shape)
    {
        var value = TinyNetwork.Value(name, shape);
        value.Type.TensorType.Shape.Dim[1].DimParam = shape[1] < 0 ? "tokens" : "";
        if (shape[1] >= 0)
        {
            value.Type.TensorType.Shape.Dim[1].DimValue = shape[1];
        }

        return value;
    }

    /// <summary>A unigram model in SentencePiece's own form (sentencepiece_model.proto): pieces with a score and a type.</summary>
    private static byte[] SentencePieces()
    {
        (string Piece, float Score, int Type)[] pieces =
            [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁good", -1, 1), ("▁cat", -1, 1), ("▁", -3, 1), ("s", -2, 1)];
        using var model = new MemoryStream();
        using (var output = new CodedOutputStream(model, leaveOpen: true))
        {
            foreach (var (piece, score, type) in pieces)
            {
                using var inner = new MemoryStream();
                using (var fields = new CodedOutputStream(inner, leaveOpen: true))
                {
                    fields.WriteTag(1, WireFormat.WireType.LengthDelimited);
                    fields.WriteString(piece);
                    fields.WriteTag(2, WireFormat.WireType.Fixed32);
                    fields.WriteFloat(score);
                    fields.WriteTag(3, WireFormat.WireType.Varint);
                    fields.WriteEnum(type);
                }

                output.WriteTag(1, WireFormat.WireType.LengthDelimited);
                output.WriteBytes(ByteString.CopyFrom(inner.ToArray()));
            }

            foreach (var spec in (int[])[2, 3]) // of the trainer and the normaliser, all as by default
            {
                output.WriteTag(spec, WireFormat.WireType.LengthDelimited);
                output.WriteBytes(spec == 2 ? ByteString.CopyFrom([3 << 3, 1]) : ByteString.Empty); // model_type = UNIGRAM
            }
        }

        return model.ToArray();
    }
}
