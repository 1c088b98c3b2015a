using KubeRuntime.WorkQueues;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.WorkQueues;

public sealed class BackoffTests(ITestOutputHelper output)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("the first waits at most the first delay", 1, 100)]
    [InlineData("each doubles", 4, 800)]
    [InlineData("the cap holds", 12, 30_000)]
    [InlineData("the cap holds forever", int.MaxValue, 30_000)]
    [InlineData("an attempt before the first counts as the first", 0, 100)]
    public void Delay_is_between_half_and_all_of_the_doubled_first_delay(string rule, int attempt, int fullMilliseconds)
    {
        var backoff = new Backoff(First, Cap, RandomSeed.NewRandom(output.WriteLine));
        var full = TimeSpan.FromMilliseconds(fullMilliseconds);

        var delays = Enumerable.Range(0, 2000).Select(_ => backoff.Delay(attempt)).ToList();

        Assert.All(delays, d => Assert.True(d >= full / 2 && d <= full, $"{rule}: {d}"));
    }

    [Fact]
    public void Delay_spreads_over_its_whole_range()
    {
        var backoff = new Backoff(First, Cap, new Random(7));

        var tenths = Enumerable
            .Range(0, 1000)
            .Select(_ => (int)((backoff.Delay(20) - Cap / 2) / (Cap / 2) * 10))
            .Distinct();

        Assert.Equal(Enumerable.Range(0, 10), tenths.Order());
    }

    [Fact]
    public void Delay_of_huge_settings_does_not_overflow()
    {
        var backoff = new Backoff(TimeSpan.FromDays(100), TimeSpan.MaxValue, new Random(7));

        var delay = backoff.Delay(100);

        Assert.True(delay > TimeSpan.FromDays(365), delay.ToString());
    }
}
