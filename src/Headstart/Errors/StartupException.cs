namespace Headstart.Errors;

/// <summary>The host cannot start, and the message is one sentence that tells the person in front of it what to do.</summary>
public sealed class StartupException(string sentence, Exception? cause = null) : Exception(sentence, cause);
