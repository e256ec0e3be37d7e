namespace Headstart.Errors;

/// <summary>The host cannot start; the message is a sentence that tells the operator what to do.</summary>
public sealed class StartupException(string sentence, Exception? cause = null) : Exception(sentence, cause);
