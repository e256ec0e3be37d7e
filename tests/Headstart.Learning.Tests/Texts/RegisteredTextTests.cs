using System.IO.Compression;
using System.Text;
using Google.Protobuf;
using Headstart.Learning.Tests.Onnx;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Tests.Texts;

public sealed class RegisteredTextTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("headstart-text-");

    private static readonly TextCorpus Corpus = new(["the good cat", "a bad dog"], ["the end"]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Word_vectors_in_gloves_format_are_found_and_used_and_named_by_what_is_saved(bool packed)
    {
        var path = Write(packed ? "tiny.txt.gz" : "tiny.txt", "good 1 0 0.5\nbad -1 0 0.5\ncat 0 1 0.25\ndog 0 1 0.5\n");
        var (found, problems) = RegisteredText.Find([_folder.FullName]);
        Assert.Empty(problems);
        Assert.Equal(("tiny", path), (found.Single().Id, found.Single().Path));

        using var features = Candidate("tiny", found);
        Assert.Equal(3, features.Length);
        Assert.True(Reviews.Cosine(features, "good cat", "good dog") > Reviews.Cosine(features, "good cat", "bad dog"));
        Assert.All(features.Of("unheard"), value => Assert.Equal(0, value));

        var bytes = Reviews.Bytes(features);
        using var loaded = TextFeatures.Load(new MemoryStream(bytes), found);
        Assert.Equal(features.Of("good dog"), loaded.Of("good dog"));
        Assert.Contains("no longer in the backbone folders",
            Assert.Throws<TextFeaturesException>(() => TextFeatures.Load(new MemoryStream(bytes), [])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("good 1 2\nbad 1\n", "line 2 has 1 values")]
    [InlineData("good 1 2\nbad 1 x\n", "'x' in line 2 is not a number")]
    public void Broken_word_vectors_are_refused_with_the_line(string content, string sentence)
    {
        Write("broken.txt", content);
        var (found, _) = RegisteredText.Find([_folder.FullName]);
        Assert.Contains(sentence, Assert.Throws<TextFeaturesException>(() => Candidate("broken", found)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Notes_and_missing_folders_are_no_text_backbones()
    {
        Write("README.txt", "These are vectors.\n");
        File.WriteAllText(Path.Combine(_folder.FullName, "text", "odd.txt.gz"), "not packed");
        var (found, problems) = RegisteredText.Find([_folder.FullName, "/nowhere"]);
        Assert.Empty(found);
        Assert.Empty(problems);
    }

    [Fact]
    public void A_sentence_network_with_its_vocabulary_is_a_candidate()
    {
        Write("tiny-sentences.vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\ncat\n##s\ncafe\n");
        File.WriteAllBytes(Path.Combine(_folder.FullName, "text", "tiny-sentences.onnx"), Network(tokens: 10, dimensions: 4));
        var (found, problems) = RegisteredText.Find([_folder.FullName]);
        Assert.Empty(problems);
        using var registered = found.Single();
        Assert.Equal(RegisteredTextKind.Sentences, registered.Kind);

        using var features = Candidate("tiny-sentences", found);
        Assert.Equal(4, features.Length);
        Assert.Equal(features.Of("good cat"), features.Of("GOOD cat"));
        Assert.Equal(features.Of("Café cats"), features.Of("cafe cats"));
        Assert.NotEqual(features.Of("cat"), features.Of("cats"));
        Assert.All(features.Of(""), value => Assert.Equal(0, value));
        Assert.All(features.Of(string.Concat(Enumerable.Repeat("good ", 5_000))), value => Assert.True(float.IsFinite(value)));

        using var loaded = TextFeatures.Load(new MemoryStream(Reviews.Bytes(features)), found);
        Assert.Equal(features.Of("bad cat"), loaded.Of("bad cat"));
        Assert.Contains(TextCandidates.Fit(Corpus, found, 1, null, TestContext.Current.CancellationToken), f =>
            f.Id == "tiny-sentences+tfidf");
    }

    [Fact]
    public void A_sentence_network_without_a_vocabulary_is_a_problem_and_no_error()
    {
        Write("alone.onnx", "");
        var (found, problems) = RegisteredText.Find([_folder.FullName]);
        Assert.Empty(found);
        Assert.Contains("no vocabulary", problems.Single(), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static TextFeatures Candidate(string id, IReadOnlyList<RegisteredText> found) =>
        TextCandidates.Fit(Corpus, found, 1, null, TestContext.Current.CancellationToken).Single(features => features.Id == id);

    private string Write(string name, string content)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder.FullName, "text")).FullName, name);
        using var file = File.Create(path);
        using Stream stream = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Compress) : file;
        stream.Write(Encoding.UTF8.GetBytes(content));
        return path;
    }

    /// <summary>The shape of all-MiniLM-L6-v2: three inputs of ids, a vector for each token out; here a table and nothing more.</summary>
    private static byte[] Network(int tokens, int dimensions)
    {
        var network = new TinyNetwork();
        network.Model.Graph.Input.Clear();
        foreach (var name in (string[])["input_ids", "attention_mask", "token_type_ids"])
        {
            var input = TinyNetwork.Value(name, -1, -1);
            input.Type.TensorType.ElemType = 7;
            input.Type.TensorType.Shape.Dim[1].DimParam = "tokens";
            network.Model.Graph.Input.Add(input);
        }

        var vectors = network.Op("Gather", [network.Weight(tokens, dimensions), "input_ids"]);
        var output = TinyNetwork.Value(vectors, -1, -1, dimensions);
        output.Type.TensorType.Shape.Dim[1].DimParam = "tokens";
        network.Model.Graph.Output.Add(output);
        return network.Model.ToByteArray();
    }
}
