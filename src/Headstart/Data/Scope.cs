namespace Headstart.Data;

/// <summary>What an API key may do.</summary>
public enum Scope
{
    /// <summary>Read models, examples, training runs and versions.</summary>
    Read,

    /// <summary>Predict, one by one or in batches, and nothing else: such a key may appear in a web page.</summary>
    Predict,

    /// <summary>Change models and their contents.</summary>
    Write,

    /// <summary>Manage keys and read the audit log; includes the other scopes.</summary>
    Admin,
}
