using CsCheck;
using Headstart.Concurrency;

namespace Headstart.Tests.Concurrency;

public sealed class FairQueueTests
{
    private static readonly Guid Crowd = Guid.CreateVersion7();
    private static readonly Guid Guest = Guid.CreateVersion7();

    [Fact]
    public void Accounts_take_turns_and_each_keeps_its_order()
    {
        var queue = new FairQueue<string>(10, 1_000);
        foreach (var entry in new[] { "c1", "c2", "c3", "g1", "g2" })
        {
            Assert.NotNull(queue.Enqueue(entry[0] == 'c' ? Crowd : Guest, 1, entry, 0, out _));
        }

        Assert.Equal(["c1", "g1", "c2", "g2", "c3"], Enumerable.Range(0, 5).Select(_ => queue.Dequeue()));
        Assert.Null(queue.Dequeue());
    }

    [Fact]
    public void A_full_queue_refuses_its_crowd_and_takes_a_guest_in_until_both_have_half()
    {
        var queue = new FairQueue<string>(4, 1_000);
        for (var i = 0; i < 4; i++)
        {
            queue.Enqueue(Crowd, 1, $"c{i}", 0, out _);
        }

        Assert.Null(queue.Enqueue(Crowd, 1, "one more", 0, out _));
        Assert.NotNull(queue.Enqueue(Guest, 1, "g0", 0, out var first));
        Assert.NotNull(queue.Enqueue(Guest, 1, "g1", 0, out var second));
        Assert.Null(queue.Enqueue(Guest, 1, "g2", 0, out var third));

        Assert.Equal(["c3", "c2"], first.Concat(second).Concat(third));
    }

    [Fact]
    public void Bytes_count_like_places_and_nobody_leaves_for_one_who_cannot_stay()
    {
        var queue = new FairQueue<string>(100, 100);
        queue.Enqueue(Crowd, 30, "c0", 0, out _);
        queue.Enqueue(Crowd, 30, "c1", 0, out _);
        queue.Enqueue(Crowd, 30, "c2", 0, out _);

        Assert.Null(queue.Enqueue(Guest, 95, "too much", 0, out var evicted));
        Assert.Empty(evicted);
        Assert.Equal((3, 90), (queue.Count, queue.Bytes));
        Assert.NotNull(queue.Enqueue(Guest, 35, "fits", 0, out evicted));
        Assert.Equal(["c2"], evicted);
    }

    [Fact]
    public void What_is_taken_at_once_needs_no_place()
    {
        var queue = new FairQueue<string>(0, 1);
        Assert.NotNull(queue.Enqueue(Guest, 50, "first", 1, out _));
        Assert.Null(queue.Enqueue(Guest, 50, "second", 1, out _));
    }

    [Fact]
    public void Whatever_happens_the_limits_hold_and_every_entry_comes_out_exactly_once() =>
        Gen.Select(Gen.Int[0, 3], Gen.Long[1, 60], Gen.Int[0, 3]).Array[0, 80].Sample(steps =>
        {
            var accounts = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToArray();
            var queue = new FairQueue<object>(6, 100);
            var (inside, places) = (new HashSet<object>(), new List<FairQueue<object>.Place>());
            foreach (var (account, bytes, action) in steps)
            {
                if (action == 0)
                {
                    Assert.True(queue.Dequeue() is not { } taken ? inside.Count == 0 : inside.Remove(taken));
                }
                else if (action == 1 && places.Count > 0)
                {
                    var place = places[(int)bytes % places.Count];
                    Assert.Equal(inside.Remove(place.Entry), queue.Remove(place));
                }
                else if (queue.Enqueue(accounts[account], bytes, new object(), 0, out var evicted) is { } place)
                {
                    Assert.All(evicted, entry => Assert.True(inside.Remove(entry)));
                    Assert.True(inside.Add(place.Entry));
                    places.Add(place);
                }

                Assert.Equal(inside.Count, queue.Count);
                Assert.True(queue is { Count: <= 6, Bytes: <= 100 });
            }
        });
}
