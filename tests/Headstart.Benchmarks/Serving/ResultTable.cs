namespace Headstart.Benchmarks.Serving;

/// <summary>One table of all measurements, printed section by section.</summary>
internal sealed class ResultTable(TextWriter output)
{
    private static readonly int[] Widths = [62, 26, 30, 9];

    private readonly List<string> _notes = [];

    public void Begin() => Print("what", "Headstart", "peer or limit", "ratio", "wanted");

    public void Section(string title) => output.WriteLine($"-- {title}");

    /// <param name="what">The quantity, with its unit.</param>
    /// <param name="headstart">Headstart's value.</param>
    /// <param name="other">The value that it is compared with.</param>
    /// <param name="ratio">Headstart relative to the other: more is better unless <paramref name="wanted"/> says otherwise.</param>
    /// <param name="wanted">The threshold; empty if there is none.</param>
    public void Row(string what, string headstart, string other = "", double? ratio = null, string wanted = "") =>
        Print(what, headstart, other, ratio?.ToString("0.000") ?? "", wanted);

    /// <summary>A remark about the numbers, printed at the end.</summary>
    public void Note(string sentence) => _notes.Add(sentence);

    public void End()
    {
        output.WriteLine();
        foreach (var note in _notes)
        {
            output.WriteLine(note);
        }
    }

    private void Print(params string[] cells) =>
        output.WriteLine(string.Join("  ", cells.Select((cell, i) => i < Widths.Length ? cell.PadRight(Widths[i]) : cell)).TrimEnd());
}
