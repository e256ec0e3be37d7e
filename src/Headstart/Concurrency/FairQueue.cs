
namespace Headstart.Concurrency;

/// <summary>
/// A queue with one lane per account, served in turn, so that nobody waits longer because of another account's crowd. Both limits apply to
/// all lanes together. When one is reached, the longest lane loses entries to a shorter one; an entry is refused only if its own lane would
/// become the longest ("longest queue drop", Suter et al., INFOCOM 1998). Not thread-safe.
/// </summary>
/// <param name="maxCount">Entries that may wait.</param>
/// <param name="maxBytes">Memory that they may hold.</param>
public sealed class FairQueue<T>(int maxCount, long maxBytes)
    where T : class
{
    private readonly Dictionary<Guid, Lane> _lanes = [];
    private readonly LinkedList<Lane> _turns = []; // lanes that are not empty; the next one first

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Adds an entry.</summary>
    /// <param name="account">The account of the lane.</param>
    /// <param name="bytes">Memory that the entry holds.</param>
    /// <param name="entry">To be returned by <see cref="Dequeue"/>.</param>
    /// <param name="free">This many entries will be taken at once and do not count as waiting.</param>
    /// <param name="evicted">Entries that longer lanes lost, newest first.</param>
    /// <returns>The entry's place; null if it was refused.</returns>
    public Place? Enqueue(Guid account, long bytes, T entry, int free, out IReadOnlyList<T> evicted)
    {
        var lane = _lanes.TryGetValue(account, out var known) ? known : new Lane(account);
        var leaving = new Stack<Place>();
        evicted = [];
        while (!Fits(bytes, free))
        {
            var longest = _turns.MaxBy(Share);
            if (longest is null || Share(longest) <= Share(lane.Places.Count + 1, lane.Bytes + bytes))
            {
                while (leaving.TryPop(out var back))
                {
                    Append(back); // evict nothing if the entry still does not fit
                }

                return null;
            }

            leaving.Push(longest.Places.Last!.Value);
            Remove(leaving.Peek());
        }

        evicted = [.. leaving.Reverse().Select(place => place.Entry)];
        var place = new Place(lane, bytes, entry);
        Append(place);
        return place;
    }

    /// <summary>The oldest entry of the lane whose turn it is; null if the queue is empty.</summary>
    public T? Dequeue()
    {
        if (_turns.First?.Value is not { } lane)
        {
            return null;
        }

        var place = lane.Places.First!.Value;
        Remove(place);
        if (lane.Places.Count > 0)
        {
            _turns.Remove(lane); // its next turn is last
            _turns.AddLast(lane);
        }

        return place.Entry;
    }

    /// <summary>Removes an entry; false if it is not in the queue any more.</summary>
    public bool Remove(Place place)
    {
        var lane = place.Lane;
        if (!lane.Places.Remove(place))
        {
            return false;
        }

        (Count, Bytes, lane.Bytes) = (Count - 1, Bytes - place.Bytes, lane.Bytes - place.Bytes);
        if (lane.Places.Count == 0)
        {
            _turns.Remove(lane);
            _lanes.Remove(lane.Account);
        }

        return true;
    }

    private void Append(Place place)
    {
        var lane = place.Lane;
        if (lane.Places.Count == 0)
        {
            _lanes[lane.Account] = lane;
            _turns.AddLast(lane);
        }

        lane.Places.AddLast(place);
        (Count, Bytes, lane.Bytes) = (Count + 1, Bytes + place.Bytes, lane.Bytes + place.Bytes);
    }

    private bool Fits(long bytes, int free) => Count < free || (Count + 1 - free <= maxCount && Bytes + bytes <= maxBytes);

    private double Share(Lane lane) => Share(lane.Places.Count, lane.Bytes);

    /// <summary>The larger of its shares of the two limits.</summary>
    private double Share(int count, long bytes) => Math.Max(count / Math.Max(1.0, maxCount), bytes / Math.Max(1.0, maxBytes));

    /// <summary>The entries of an account.</summary>
    public sealed class Lane(Guid account)
    {
        public Guid Account => account;

        public LinkedList<Place> Places { get; } = [];

        public long Bytes { get; set; }
    }

    /// <summary>An entry that is or was in the queue.</summary>
    public sealed class Place(Lane lane, long bytes, T entry)
    {
        public Lane Lane => lane;

        public long Bytes => bytes;

        public T Entry => entry;
    }
}
