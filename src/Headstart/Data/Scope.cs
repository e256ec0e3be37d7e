namespace Headstart.Data;

/// <summary>What a key may do.</summary>
public enum Scope
{
    /// <summary>See what there is.</summary>
    Read,

    /// <summary>Ask for predictions, one by one or in batches, and nothing else: such a key may stand in a page that everybody reads.</summary>
    Predict,

    /// <summary>Change models and what belongs to them.</summary>
    Write,

    /// <summary>Keys, and what the account did; it may do all the rest, too.</summary>
    Admin,
}
