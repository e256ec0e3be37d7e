using System.Net;
using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads.Tables;

/// <summary>Tables as spreadsheets write them: encodings, separators, line ends, and header words of many languages.</summary>
[Collection<ArchivesHost>]
public sealed class TableFormsTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    private static readonly (string What, byte[] Table)[] Tables =
    [
        ("Excel: CSV UTF-8", [.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes(German)]),
        ("Excel: CSV of Windows", Page(1252).GetBytes(German)),
        ("Excel: CSV (MS-DOS)", Page(850).GetBytes(German)),
        ("Excel: CSV (Macintosh)", Page(10000).GetBytes(German.Replace("\r\n", "\r"))),
        ("UTF-8 with the lines of a Macintosh", Encoding.UTF8.GetBytes(German.Replace("\r\n", "\r"))),
        ("Excel: Unicode text", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(German.Replace(';', '\t'))]),
        ("UTF-16 the other way round", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(German)]),
        ("UTF-16 without a mark", Encoding.Unicode.GetBytes(German)),
        ("UTF-16 the other way round without a mark", Encoding.BigEndianUnicode.GetBytes(German)),
        ("a line for Excel", Encoding.UTF8.GetBytes("\uFEFFsep=;\r\n" + German)),
        ("a line for Excel with pipes", Encoding.UTF8.GetBytes("sep=|\n" + German.Replace(';', '|'))),
        ("pipes", Encoding.UTF8.GetBytes(German.Replace(';', '|'))),
        ("commas in quotes", Encoding.UTF8.GetBytes("\"Datei\",\"Kategorie\"\n\"a.png\",\"Äpfel\"\n\"b.png\",\"Möhren\"\n")),
    ];

    private const string German = "Dateiname;Kategorie\r\na.png;Äpfel\r\nb.png;Möhren\r\n";

    [Fact]
    public async Task A_table_of_labels_is_read_however_it_is_written()
    {
        foreach (var (what, table) in Tables)
        {
            var model = await _client.NewModelAsync();
            using var form = new Form().Part("form-data; name=\"manifest\"; filename=\"labels.csv\"", table).File("a.png", Pictures.Tiny(1))
                .File("b.png", Pictures.Tiny(2)).Content();
            var inForm = await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();
            Assert.Equal((what, "a.png Äpfel, b.png Möhren"), (what, string.Join(", ", UploadCalls.Accepted(inForm))));
            var inZip = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(("labels.csv", table),
                ("a.png", Pictures.Tiny(1)), ("b.png", Pictures.Tiny(2)))))).JsonAsync();
            Assert.Equal((what, "a.png Äpfel, b.png Möhren"), (what, string.Join(", ", UploadCalls.Accepted(inZip))));
        }
    }

    [Theory]
    [InlineData(1252, "Texte;Catégorie", "C'était très déçu|négatif")]
    [InlineData(1250, "treść;kategoria", "żółta łódź płynie|łódź")]
    [InlineData(1251, "Текст;Категория", "очень хороший фильм|хорошо")]
    [InlineData(932, "テキスト,カテゴリ", "とても良い映画でした|良い")]
    [InlineData(936, "文本,类别", "这部电影非常好看|好评")]
    [InlineData(949, "텍스트,분류", "정말 재미있는 영화였다|긍정")]
    [InlineData(65001, "Texto\tEtiqueta", "¡Qué película!|buena")]
    [InlineData(65001, "Testo|Categoria", "Che bello così|buono")]
    public async Task A_table_of_texts_is_read_in_the_code_page_and_the_words_of_its_language(int page, string header, string row)
    {
        var separator = header[header.IndexOfAny([';', ',', '\t', '|'])];
        var encoding = page == 65001 ? Encoding.UTF8 : Page(page);
        var model = await _client.NewTextModelAsync();
        var answer = await (await _client.PostAsync($"{model}/texts", UploadCalls.Body("text/csv",
            encoding.GetBytes($"{header}\r\n{row.Replace('|', separator)}\r\n")), Api.Cancel)).JsonAsync();
        Assert.Equal(row, $"{answer["accepted"]![0]!["text"]}|{answer["accepted"]![0]!["category"]}");
    }

    [Theory]
    [InlineData(1251, "очень хороший фильм")]
    [InlineData(1253, "πολύ καλή ταινία")]
    [InlineData(1252, "c'était très déçu")]
    [InlineData(932, "とても良い映画でした")]
    [InlineData(1200, "очень хороший фильм")]
    public async Task Lines_of_texts_are_read_in_the_code_page_of_their_language(int page, string line)
    {
        var model = await _client.NewTextModelAsync();
        var answer = await (await _client.PostAsync($"{model}/texts", UploadCalls.Body("text/plain",
            (page == 1200 ? Encoding.Unicode : Page(page)).GetBytes($"{line}\r\nok\r\n")), Api.Cancel)).JsonAsync();
        Assert.Equal(line, (string?)answer["accepted"]![0]!["text"]);
    }

    [Fact]
    public async Task What_cannot_be_told_is_refused_with_the_cure()
    {
        var model = await _client.NewModelAsync();
        foreach (var (table, type, cure) in new (byte[], string, string)[]
        {
            ([.. "file;category\na.png;"u8, 0x81, 0xFF, 0x8D, .. "\n"u8], "unknown-encoding", "CSV UTF-8"),
            ("wer;was\na.png;Äpfel\n"u8.ToArray(), "invalid-manifest", "file,category"),
            ([0x1F, 0x8B, 8, 0, 0], "compressed", "Content-Encoding"),
            (Batches.Zip(("[Content_Types].xml", [1]), ("xl/workbook.xml", [1])), "not-text", "an Excel workbook; save it as \"CSV UTF-8\""),
        })
        {
            using var form = new Form().Part("form-data; name=\"manifest\"; filename=\"labels.csv\"", table).File("a.png", Pictures.Tiny(1))
                .Content();
            var problem = await (await _client.PostAsync($"{model}/images", form, Api.Cancel))
                .ProblemAsync(HttpStatusCode.UnprocessableEntity, type);
            Assert.Contains(cure, (string?)problem["detail"]);
        }

        Assert.Empty((await _client.GetJsonAsync(model))["categories"]!.AsArray());
    }

    [Fact]
    public async Task A_row_that_could_mean_two_files_is_refused()
    {
        var model = await _client.NewModelAsync();
        await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(("labels.csv", "file,category\n0.png,cats\n"u8.ToArray()),
            ("train/0.png", Pictures.Tiny(1)), ("test/0.png", Pictures.Tiny(2))))))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "ambiguous-row");
        await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(("labels.csv", "file,category\n0.png,cats\n"u8.ToArray()),
            ("labels.jsonl", "{}"u8.ToArray()), ("0.png", Pictures.Tiny(1))))))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "several-manifests");
        var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(
            ("labels.csv", "file,category\ntrain/0.png,cats\ntest/0.png,dogs\n"u8.ToArray()), ("train/0.png", Pictures.Tiny(1)),
            ("test/0.png", Pictures.Tiny(2)))))).JsonAsync();
        Assert.Equal(["train/0.png cats train", "test/0.png dogs test"], answer["accepted"]!.AsArray()
            .Select(i => $"{i!["fileName"]} {i["category"]} {i["split"]}"));
    }

    private static Encoding Page(int number) => CodePagesEncodingProvider.Instance.GetEncoding(number)!;
}
