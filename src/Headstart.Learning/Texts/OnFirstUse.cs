namespace Headstart.Learning.Texts;

/// <summary>A value that is made on first use. Unlike a <see cref="Lazy{T}"/> it keeps no failure, because memory and disks recover.
/// Thread-safe.</summary>
/// <param name="make">Makes the value; called until it succeeds, by one thread at a time.</param>
internal sealed class OnFirstUse<T>(Func<T> make)
    where T : class
{
    private readonly Lock _gate = new();
    private volatile T? _made;

    /// <summary>null if it has not been made.</summary>
    public T? Made => _made;

    public T Value
    {
        get
        {
            if (_made is { } made)
            {
                return made;
            }

            lock (_gate)
            {
                return _made ??= make();
            }
        }
    }
}
