using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Uploads.Archives;

namespace Headstart.Tests.Uploads.Bodies;

/// <summary>
/// Archives, tables and forms with bytes changed, cut out, or put in: each is answered, none with a 5xx, and no image gets the label of
/// another. Labels are not compared where the change can be an upload that means something else: a form with another field, a table in
/// which a row and half of the next are gone. HEADSTART_MUTATIONS sets how many, HEADSTART_MUTATION_SEED another beginning.
/// </summary>
[Collection<BodiesHost>]
public sealed class MutatedUploadsTests(TestHost host)
{
    private static readonly string[] Names = ["Äpfel", "Möhren", "cats"];
    private static readonly Encoding Oem = CodePagesEncodingProvider.Instance.GetEncoding(437)!;

    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task No_mutation_breaks_the_host_or_moves_a_label()
    {
        Needs.Time();
        var (count, seed) = (Setting("HEADSTART_MUTATIONS", 200), Setting("HEADSTART_MUTATION_SEED", 21));
        var (bodies, answers) = (Bodies(), new SortedDictionary<string, int>(StringComparer.Ordinal));
        var owner = Enumerable.Range(0, 9).ToDictionary(i => Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(Pictures.Tiny(i))), i => Names[i % 3]);
        for (var number = 0; number < count; number++)
        {
            var random = new Random(seed * 100_003 + number);
            var (type, body) = bodies[number % bodies.Count];
            var (mutated, cut) = Mutate(body, random);
            var model = await _client.NewModelAsync(Names);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Api.Cancel);
            limit.CancelAfter(TimeSpan.FromMinutes(1));
            var request = new HttpRequestMessage(HttpMethod.Post, $"{model}/images?async=false") { Content = Form.Of(mutated, type) };
            var response = await _client.SendAsync(request, limit.Token);
            var text = await response.Content.ReadAsStringAsync(limit.Token);
            var where = $"seed {seed}, number {number}, {type}: {(int)response.StatusCode} {text}";
            Assert.True((int)response.StatusCode is 200 or 400 or 413 or 415 or 422, where);
            var answer = JsonNode.Parse(text)!;
            var outcome = response.IsSuccessStatusCode ? "200" : $"{(int)response.StatusCode} {answer["type"]}";
            answers[outcome] = answers.GetValueOrDefault(outcome) + 1;
            var comparable = !type.StartsWith("multipart", StringComparison.Ordinal) && !(cut && HasTable(body));
            foreach (var image in !comparable ? [] : (await _client.GetJsonAsync($"{model}/images"))["items"]!.AsArray())
            {
                Assert.True(!owner.TryGetValue((string)image!["sha256"]!, out var own) || own == (string?)image["category"],
                    $"{own} is {image["category"]} {image["fileName"]}: {Encoding.UTF8.GetString(mutated)} {where}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", answers.Select(a => $"{a.Key}: {a.Value}")));
        await _client.GetJsonAsync("/health/ready");
    }

    private static bool HasTable(byte[] body) => body.AsSpan().IndexOf("labels.csv"u8) >= 0;

    private static List<(string Type, byte[] Body)> Bodies()
    {
        var (oem, utf8, sides, form, rows) = (new RawZip(), new RawZip(), new RawZip(), new Form(), new StringBuilder("file;category\r\n"));
        var jsonLines = new StringBuilder();
        for (var i = 0; i < 9; i++)
        {
            var (name, picture) = (Names[i % 3], Pictures.Tiny(i));
            oem.Add(Oem, $"{name}/{i}.png", picture);
            var raw = Oem.GetBytes($"{name}/{i}.png");
            utf8.Add(raw, picture, extra: RawZip.UnicodePath(raw, $"{name}/{i}.png"));
            sides.Add(Encoding.UTF8.GetBytes($"{(i < 6 ? "Training" : "Testing")}/{name}/{i}.png"), picture, RawZip.Utf8Flag);
            form.Field("category", name).File($"{i}.png", picture);
            rows.Append(CultureInfo.InvariantCulture, $"{i}.png;{name}\r\n");
            jsonLines.Append(CultureInfo.InvariantCulture, $"{{\"base64\":\"{Convert.ToBase64String(picture)}\",\"category\":\"{name}\"}}\n");
        }

        Form WithTable(byte[] table) => Enumerable.Range(0, 9).Aggregate(new Form().Part("form-data; name=\"manifest\"; filename=\"l.csv\"", table),
            (all, i) => all.File($"{i}.png", Pictures.Tiny(i)));
        var text = rows.ToString();
        return
        [
            ("application/zip", oem.ToArray()), ("application/zip", utf8.ToArray()), ("application/zip", sides.ToArray()),
            ("multipart/form-data; boundary=" + Form.Boundary, form.Bytes),
            ("application/x-ndjson", Encoding.UTF8.GetBytes(jsonLines.ToString())),
            .. new[] { Encoding.UTF8.GetBytes(text), Oem.GetBytes(text), Encoding.Latin1.GetBytes(text), Encoding.Unicode.GetBytes(text) }
                .SelectMany<byte[], (string, byte[])>(table =>
                [
                    ("multipart/form-data; boundary=" + Form.Boundary, WithTable(table).Bytes),
                    ("application/zip", Batches.Zip([("labels.csv", table), .. Enumerable.Range(0, 9)
                        .Select(i => ($"{i}.png", Pictures.Tiny(i)))])),
                ]),
        ];
    }

    /// <summary>A few changes, and whether bytes were cut out or put in.</summary>
    private static (byte[] Bytes, bool Cut) Mutate(byte[] body, Random random)
    {
        var (bytes, cut) = (body.ToList(), false);
        for (var changes = random.Next(1, 5); changes > 0 && bytes.Count > 4; changes--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 40), bytes.Count - at);
            var kind = random.Next(6);
            cut |= kind is 2 or 3 or 5;
            switch (kind)
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(at, Enumerable.Range(0, length).Select(_ => (byte)random.Next(256)));
                    break;
                case 4:
                    bytes[at] = new byte[] { 0, 0xFF, 0x7F, 0x80, (byte)'\n', (byte)'"', (byte)'/', (byte)';' }[random.Next(8)];
                    break;
                default:
                    bytes.RemoveRange(bytes.Count - Math.Min(length * 4, bytes.Count - 1), Math.Min(length * 4, bytes.Count - 1));
                    break;
            }
        }

        return ([.. bytes], cut);
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
