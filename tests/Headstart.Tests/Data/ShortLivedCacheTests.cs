using Headstart.Data;

namespace Headstart.Tests.Data;

public sealed class ShortLivedCacheTests
{
    private readonly ManualClock _clock = new();
    private int _asked;
    private bool _hears;
    private string? _answer = "first";

    [Fact]
    public async Task A_host_that_hears_nothing_asks_again_when_the_lifetime_is_over()
    {
        var cache = Make();
        Assert.Equal("first", await FindAsync(cache));
        _answer = "second";

        _clock.Pass(0.9);
        Assert.Equal("first", await FindAsync(cache));
        _clock.Pass(0.2);
        Assert.Equal("second", await FindAsync(cache));
        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task While_changes_are_heard_an_answer_holds_until_one_is()
    {
        var cache = Make();
        _hears = true;
        await FindAsync(cache);
        _answer = "second";
        _clock.Pass(59);

        Assert.Equal("first", await FindAsync(cache));
        Assert.Equal(1, _asked);
        cache.Forget();
        Assert.Equal("second", await FindAsync(cache));
    }

    [Fact]
    public async Task What_changed_without_a_word_is_found_behind_a_request_that_does_not_wait_for_it()
    {
        var cache = Make();
        _hears = true;
        await FindAsync(cache);
        _answer = "second";
        _clock.Pass(61);

        Assert.Equal("first", await FindAsync(cache));
        while (await FindAsync(cache) != "second")
        {
            await Task.Delay(1, Api.Cancel); // for ever, if nobody looked
        }

        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task What_is_gone_without_a_word_is_forgotten_and_an_unanswered_question_is_asked_again()
    {
        var cache = Make();
        _hears = true;
        await FindAsync(cache);
        _clock.Pass(61);
        var failures = 0;

        Assert.Equal("first", await cache.FindAsync(1, _ => Interlocked.Increment(ref failures) > 0
            ? throw new TimeoutException() : Task.FromResult(_answer), Api.Cancel));
        _answer = null;
        while (await FindAsync(cache) is not null)
        {
            await Task.Delay(1, Api.Cancel);
        }

        Assert.Equal(1, failures);
    }

    private ShortLivedCache<int, string> Make() => new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), _ => _hears, _clock);

    private ValueTask<string?> FindAsync(ShortLivedCache<int, string> cache) => cache.FindAsync(1, _ =>
    {
        Interlocked.Increment(ref _asked);
        return Task.FromResult(_answer);
    }, Api.Cancel);

    private sealed class ManualClock : TimeProvider
    {
        private long _tenths = 1_000;

        public override long TimestampFrequency => 10;

        public void Pass(double seconds) => _tenths += (long)(10 * seconds);

        public override long GetTimestamp() => _tenths;
    }
}
