using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed partial class AccessKeyCircuitBreakersTests
{
    /// <summary>All realms ask every five seconds, in an order that never changes.</summary>
    [Fact]
    public async Task Probes_go_round_the_realms_that_reject_the_key_and_begin_with_those_that_had_taken_it()
    {
        await AskAsync("never", Rejection);
        await AskAsync("taken-1", null);
        await AskAsync("taken-2", null);
        await AskAsync("taken-1", Rejection);
        await AskAsync("taken-2", Rejection);
        var probes = new List<string>();
        for (var second = 5; second <= 600; second += 5)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            foreach (var realm in (string[])["never", "taken-2", "taken-1"])
            {
                if (await AskAsync(realm, Rejection))
                    probes.Add(realm);
            }
        }

        Assert.InRange(probes.Count, 9, 10);
        Assert.All(
            probes.Chunk(3).Where(c => c.Length == 3),
            round => Assert.Equal(["never", "taken-1", "taken-2"], round.Order(StringComparer.Ordinal))
        );
        Assert.All(probes.Chunk(3), round => Assert.StartsWith("taken", round[0], StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_realm_that_nobody_asks_for_any_more_keeps_no_other_waiting()
    {
        await AskAsync("gone", null);
        await AskAsync("gone", Rejection);
        await AskAsync("here", Rejection);
        await AskAsync("gone", Rejection);
        var probes = 0;
        for (var second = 5; second <= 600; second += 5)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            probes += await AskAsync("here", Rejection) ? 1 : 0;
        }

        Assert.InRange(probes, 9, 10);
    }

    [Fact]
    public async Task A_bucket_that_brings_no_answer_leaves_the_probe_to_the_others_of_its_realm()
    {
        await AskAsync(Realm, Rejection);
        var probes = new List<string>();
        for (var second = 5; second <= 300; second += 5)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            foreach (var bucket in (string[])["mute", "good"])
            {
                if (await AskAsync(Realm, bucket == "mute" ? Unavailable : Rejection, bucket))
                    probes.Add(bucket);
            }
        }

        Assert.Contains("good", probes.Take(2));
        Assert.InRange(probes.Count(p => p == "mute"), 1, 3);
    }

    [Fact]
    public async Task A_rejected_key_is_probed_once_a_minute_and_nobody_waits_for_the_probe()
    {
        End((await EnterAsync()).Value!, Rejection);
        var calls = 0;
        for (var second = 1; second <= 600; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            foreach (var answer in await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => EnterAsync())).Within())
            {
                if (answer.Value is not { } pass)
                    continue;
                calls++;
                End(pass, second % 2 == 0 ? Rejection : Unavailable);
            }
        }

        Assert.Equal(10, calls); // of 60 000 that asked, in ten minutes
    }

    [Fact]
    public async Task A_probe_that_is_taken_lets_all_go()
    {
        End((await EnterAsync()).Value!, Rejection);
        _time.Advance(TimeSpan.FromMinutes(1));

        End((await EnterAsync()).Value!, null);

        Assert.NotNull((await EnterAsync()).Value);
        Assert.False(_breakers.IsRejected(Key));
    }
}
