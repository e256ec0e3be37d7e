namespace Headstart.Operations;

/// <summary>Names that people give to models, categories and keys.</summary>
public static class Names
{
    public const int MaxLength = 100;

    /// <summary>
    /// The name trimmed, or a sentence that says what is wrong with it. Names are compared as they were sent: the program runs without
    /// ICU (InvariantGlobalization), so a composed and a decomposed é are two names.
    /// </summary>
    public static (string? Name, string? Problem) Read(string? given, string what)
    {
        if (string.IsNullOrWhiteSpace(given))
        {
            return (null, $"The name of a {what} must not be blank.");
        }

        var name = given.Trim();
        return name.Length > MaxLength ? (null, $"The name of a {what} has {name.Length} characters; at most {MaxLength} are allowed.")
            : name.Any(char.IsControl) ? (null, $"The name of a {what} must not contain control characters.")
            : name.Contains('\uFFFD') ? (null, $"The name of a {what} has characters that are not valid UTF-8.")
            : (name, null);
    }
}
