using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Headstart.Uploads.Tables;

/// <summary>
/// Detects the encoding of names and tables that do not declare one. Decoded bytes are plausible if every character is a letter or a
/// usual sign, and if the letters form words of one script: code page 437 reads "Äpfel" where Shift-JIS reads "施fel". Of plausible
/// encodings, the one with the most common characters wins. If two are equally common, none is chosen, except that the encoding which the
/// format itself names wins a tie.
/// </summary>
internal static class CodePages
{
    private const double Doubtful = 1; // mean cost per character at which a name is not considered text
    private const double Tie = 0.5; // difference in cost below which encodings are equally common
    private const int KoreanIsCertainFrom = 4; // four Chinese characters look like four frequent Hangul once in thousands of names

    private static readonly Page[] OfNames =
    [
        new(437, Script.Latin, Named: true), new(850, Script.Latin, Named: true), // the zip specification names 437; Europe has 850
        new(1252, Script.Latin), new(852, Script.Latin), new(866, Script.Cyrillic), new(1251, Script.Cyrillic), new(932, Script.Japanese),
        new(936, Script.Chinese), new(949, Script.Korean),
    ];

    private static readonly Page[] OfTables =
    [
        new(1252, Script.Latin, Named: true), new(1250, Script.Latin), new(1254, Script.Latin), new(1251, Script.Cyrillic),
        new(1253, Script.Greek), new(932, Script.Japanese), new(936, Script.Chinese), new(949, Script.Korean), new(850, Script.Latin),
    ];

    private static readonly Page Macintosh = new(10000, Script.Latin);

    /// <summary>The encoding of an archive's names that do not declare theirs.</summary>
    /// <param name="names">All of them: one encoding applies to the whole archive.</param>
    /// <returns>null if it is not certain.</returns>
    public static Encoding? OfArchive(IReadOnlyCollection<byte[]> names) =>
        names.All(name => Utf8.IsValid(name)) ? Encoding.UTF8 : Choose(OfNames, [.. names]);

    /// <summary>The encoding of a table that is neither UTF-8 nor UTF-16.</summary>
    /// <param name="lines">Lines with bytes above 0x7F.</param>
    /// <param name="macintosh">Whether its lines end with CR alone, as in Excel's "CSV (Macintosh)".</param>
    /// <returns>null if it is not certain.</returns>
    public static Encoding? OfTable(IReadOnlyCollection<byte[]> lines, bool macintosh) =>
        Choose(macintosh ? [Macintosh with { Named = true }, .. OfTables] : OfTables, [.. lines]);

    private static Encoding? Choose(Page[] pages, byte[][] samples)
    {
        var readings = pages.Select(page => Read(page, samples)).OfType<Reading>().ToList();
        // KS X 1001 has its syllables where GB 2312 has half of its common characters, so Korean could always be Chinese as well.
        if (readings.Exists(reading => reading is { Page.Script: Script.Korean, Cost: < 0.25, Foreign: >= KoreanIsCertainFrom }))
        {
            readings.RemoveAll(reading => reading.Page.Script == Script.Chinese);
        }

        if (readings.Count == 0)
        {
            return null;
        }

        var least = readings.Min(reading => reading.Total);
        var best = readings.FindAll(reading => reading.Total <= least + Tie);
        return best.Find(reading => reading.Page.Named) is { } named ? named.Page.Encoding
            : best.TrueForAll(reading => reading.Text == best[0].Text) ? best[0].Page.Encoding : null;
    }

    /// <returns>null if the bytes are not text in this encoding.</returns>
    private static Reading? Read(Page page, byte[][] samples)
    {
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(page.Number, EncoderFallback.ExceptionFallback,
            DecoderFallback.ExceptionFallback)!;
        string text;
        try
        {
            text = string.Join('\n', samples.Select(encoding.GetString));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }

        if (text.Any(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r')))
        {
            return null;
        }

        var (cost, foreign, doubtful) = (0.0, 0, 0);
        foreach (var name in text.Split('\n'))
        {
            var (own, letters) = (Words(page.Script, name), 0);
            for (var i = 0; i < name.Length; i++)
            {
                if (!char.IsAscii(name[i]))
                {
                    letters++;
                    own += Cost(page.Script, name[i], i > 0 ? name[i - 1] : ' ', i + 1 < name.Length ? name[i + 1] : ' ', encoding);
                }
            }

            (cost, foreign) = (cost + own, foreign + letters);
            doubtful += own >= Doubtful * letters && letters > 0 ? 1 : 0;
        }

        // Among many names a few may be odd.
        return foreign == 0 || doubtful * 10 > samples.Length ? null : new(page, text, cost / foreign, foreign);
    }

    private static double Cost(Script script, char c, char before, char after, Encoding encoding)
    {
        var inWord = char.IsLetter(before) && char.IsLetter(after);
        if (script >= Script.Japanese && c is (>= '\u3000' and <= '\u3011') or (>= '\uFF01' and <= '\uFF5E'))
        {
            return 0.2; // punctuation, and Latin letters of the width of ideographs
        }

        if (!char.IsLetter(c))
        {
            return c == '\u2019' ? 0.1 : CommonSigns.Contains(c) && !inWord ? 0.5 : 4;
        }

        return script switch
        {
            Script.Latin => CommonLatin.Contains(c) ? 0 : c is >= '\u0100' and < '\u0180' && encoding.CodePage is 852 or 1250 or 1254 ? 0
                : c is >= '\u00C0' and < '\u0180' ? 0.9 : 4,
            Script.Cyrillic => c is (>= 'А' and <= 'я') or 'ё' or 'Ё' ? 0 : c is >= '\u0400' and < '\u0500' ? 1.5 : 4,
            Script.Greek => c is >= '\u0386' and <= '\u03CE' ? 0 : 4,
            _ => (inWord && char.IsAsciiLetter(before) && char.IsAsciiLetter(after) ? 2 : 0) + CostOfIdeograph(script, c, encoding),
        };
    }

    /// <summary>Uses the rows of the character sets: common ideographs are in the first of two levels.</summary>
    private static double CostOfIdeograph(Script script, char c, Encoding encoding)
    {
        var bytes = encoding.GetBytes([c]);
        var (lead, trail) = bytes.Length == 2 ? (bytes[0], bytes[1]) : (bytes[0], (byte)0);
        return script switch
        {
            Script.Japanese => c is >= '\u3040' and <= '\u30FF' ? 0 : bytes.Length == 1 ? 1.2 : lead is >= 0x88 and < 0x98 ? 0
                : lead < 0xED && c >= '\u4E00' ? 0.9 : 2,
            Script.Chinese => trail < 0xA1 ? 3 : lead is >= 0xB0 and <= 0xD7 ? 0 : lead is > 0xD7 and <= 0xF7 ? 0.9 : 3,
            _ => CommonHangul.Contains(c) ? 0 : trail >= 0xA1 && lead is >= 0xB0 and <= 0xC8 ? 0.8 : 3,
        };
    }

    /// <summary>
    /// Rejects words of two scripts, with a capital after a small letter ("CafÚ"), or of accented letters only ("îó"). Greek words of
    /// several syllables have an accent and end in another letter for s, which distinguishes them from Cyrillic ones.
    /// </summary>
    private static double Words(Script script, string text)
    {
        if (script > Script.Greek)
        {
            return 0;
        }

        var cost = 0.0;
        for (var start = 0; start < text.Length; start++)
        {
            var end = start;
            var (plain, foreign) = (0, 0);
            for (; end < text.Length && char.IsLetter(text[end]); end++)
            {
                _ = char.IsAscii(text[end]) ? plain++ : foreign++;
                cost += end > start && char.IsLower(text[end - 1]) && text[end - 1] != 'ß' && char.IsUpper(text[end])
                    && !(char.IsAscii(text[end]) && char.IsAscii(text[end - 1])) ? 2 : 0;
            }

            var word = text.AsSpan(start, end - start);
            cost += script != Script.Greek || foreign == 0 ? 0
                : (word.Length > 4 && word.ContainsAnyInRange('α', 'ω') && !word.ContainsAny(GreekAccents) ? 1 : 0)
                    + (word[..^1].Contains('ς') ? 4 : 0);
            cost += foreign == 0 ? 0 : script == Script.Latin ? foreign > 2 * plain + 1 ? 4 * foreign : 0 : plain > 0 ? 4 * foreign : 0;
            start = end;
        }

        return cost;
    }

    private static readonly SearchValues<char> GreekAccents = SearchValues.Create("άέήίόύώΐΰΆΈΉΊΌΎΏ");

    private static readonly HashSet<char> CommonLatin = [.. "äöüßéèêëàâçîïôûùœæøåñáíóúìòãÄÖÜÉÈÊÀÂÇÎÔÛŒÆØÅÑÁÍÓÚÃ"];

    private static readonly HashSet<char> CommonSigns = [.. "\u00A0«»¿¡°²³½¼§©®·€£×–—…‘“”„•™"];

    // The syllables of everyday Korean text, most frequent first.
    private static readonly HashSet<char> CommonHangul =
    [
        .. "이다는을의에가고하한은로지기사를도자어리해인서아정스시대나일과들수그부있주제보여니라상전원안만관경국장동공비적구중신게되으성용유연우마면오화계",
        .. "개선소모와생체무내러방문조위호세분할없당발실때음식간업회차물교요트강명년치단진통반외결였물말두히하미것던저속까재물산습근군현권외양재터포가금남노",
        .. "데같앞집람학행른점최론건직야민설님영심바각격토목표본더론름네파운거표래월북년석울력길매열번및예청예품추란절합크손녀레변특불큰술금형피살련급약투책",
        .. "디높입처역임질임드찰평물속류능등복별새노감작준판종달림른독온눈맛맞벌밤박백배병봉빛빵뿐색샘섬셋송숙순숲슴십싸쌀쓰씨악알앙애야얼엄엔엘왕욕웃육윤율은",
        .. "키코카타커티테토퍼프호홍환활황후훈흰흑희힘떡딸닭뱀범돼참채천철초축출충취층칠칸켜콩쿠털톱통패편폭푸풀필허혀혹협혼확회획휴흙꽃꼬끼빨늘늑눈",
    ];

    private enum Script
    {
        Latin,
        Cyrillic,
        Greek,
        Japanese,
        Chinese,
        Korean,
    }

    /// <param name="Named">Whether the format itself names it, so that it wins a tie.</param>
    private sealed record Page(int Number, Script Script, bool Named = false)
    {
        /// <summary>Replaces invalid bytes, which may occur beyond the samples.</summary>
        public Encoding Encoding => CodePagesEncodingProvider.Instance.GetEncoding(Number, EncoderFallback.ReplacementFallback,
            new DecoderReplacementFallback("\uFFFD"))!;
    }

    /// <param name="Cost">Mean over the characters outside ASCII; 0 for common ones only.</param>
    /// <param name="Foreign">Characters outside ASCII.</param>
    private sealed record Reading(Page Page, string Text, double Cost, int Foreign)
    {
        public double Total => Cost * Foreign;
    }
}
