using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed class KeyBreakersTests
{
    private const string Realm = "vendor";
    private static readonly AccessKey Key = new("id", "secret", SecurityToken: null);
    private static readonly Failure Rejection = new(FailureKind.Denied, "GetBucketEncryption", "InvalidAccessKeyId") { ConcernsCredentials = true };
    private static readonly Failure Unavailable = new(FailureKind.Transient, "GetBucketEncryption", "InternalError");
    private static readonly Failure NoBucket = new(FailureKind.Missing, "GetBucketEncryption", "NoSuchBucket") { HttpStatus = 404 };
    private static readonly Failure NotSent = new(FailureKind.Refused, "GetBucketEncryption", "AddressNotAllowed");

    private readonly ManualTimeProvider _time = new();
    private readonly KeyBreakers _breakers;

    public KeyBreakersTests() => _breakers = new KeyBreakers(_time);

    [Fact]
    public async Task The_first_call_with_a_new_key_is_the_probe_and_a_hundred_others_share_its_rejection()
    {
        var probe = (await EnterAsync()).Value!;
        var others = Enumerable.Range(0, 100).Select(_ => EnterAsync()).ToList();
        var early = others.Exists(o => o.IsCompleted);

        End(probe, Rejection);
        var answers = await Task.WhenAll(others).Within();

        Assert.False(early);
        Assert.All(answers, a => Assert.Equal((null, Rejection), (a.Value, a.Failure)));
        Assert.True(_breakers.IsRejected(Key));
    }

    [Theory]
    [InlineData("success")]
    [InlineData("an answer about the bucket proves the key as well")]
    [InlineData("no verdict: who waited goes ahead, for it may be the one bucket's trouble")]
    public async Task Who_waited_goes_ahead_unless_the_key_is_rejected(string end)
    {
        var probe = (await EnterAsync()).Value!;
        var others = Enumerable.Range(0, 10).Select(_ => EnterAsync()).ToList();

        End(probe, end[0] switch { 's' => null, 'a' => NoBucket, _ => Unavailable });

        Assert.All(await Task.WhenAll(others).Within(), a => Assert.NotNull(a.Value));
    }

    [Fact]
    public async Task A_call_that_ends_without_a_word_lets_the_others_go_and_the_next_is_a_probe_again()
    {
        (await EnterAsync()).Value!.Dispose();

        var probe = (await EnterAsync()).Value!;
        var next = EnterAsync();
        var early = next.IsCompleted;
        End(probe, null);

        Assert.False(early);
        Assert.NotNull((await next.Within()).Value);
    }

    [Fact]
    public async Task A_vendors_word_on_a_key_is_known_where_it_was_said_and_its_turns_are_told_once()
    {
        var turned = new List<AccessKey>();
        _breakers.Listen(turned.Add);
        var standings = new List<KeyStanding> { Standing() };
        foreach (var answer in (Failure?[])[Unavailable, null, NoBucket, Rejection, Rejection])
        {
            End((await EnterAsync()).Value!, answer);
            standings.Add(Standing());
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        _breakers.StopListening(turned.Add);

        Assert.Equal(
            [new KeyStanding.Untried(), new KeyStanding.Untried(), new KeyStanding.Taken(), new KeyStanding.Taken(), new KeyStanding.Rejected(Rejection), new KeyStanding.Rejected(Rejection)],
            standings);
        Assert.Equal([Key, Key], turned);
        Assert.IsType<KeyStanding.Untried>(_breakers.StandingOf(Key, "elsewhere"));

        KeyStanding Standing() => _breakers.StandingOf(Key, Realm);
    }

    [Fact]
    public async Task A_request_that_was_not_sent_says_nothing_of_the_key()
    {
        End((await EnterAsync()).Value!, Rejection);
        _time.Advance(TimeSpan.FromMinutes(1));

        End((await EnterAsync()).Value!, NotSent);

        Assert.True(_breakers.IsRejected(Key));
    }

    [Fact]
    public async Task A_proven_key_passes_without_waiting()
    {
        End((await EnterAsync()).Value!, null);

        var passes = Enumerable.Range(0, 10).Select(_ => EnterAsync()).ToList();

        Assert.All(passes, p => Assert.NotNull(p.IsCompleted ? p.Result.Value : null));
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

    /// <summary>Eight calls are under way when a key is revoked; some were answered before, and arrive after.</summary>
    [Fact]
    public async Task A_late_answer_to_an_earlier_call_does_not_close_the_breaker_again()
    {
        End((await EnterAsync()).Value!, null);
        var (first, second) = ((await EnterAsync()).Value!, (await EnterAsync()).Value!);

        End(second, Rejection);
        End(first, null);

        Assert.Null((await EnterAsync()).Value);
    }

    [Fact]
    public async Task Another_secret_of_the_same_id_another_realm_and_another_key_have_breakers_of_their_own()
    {
        End((await EnterAsync()).Value!, Rejection);

        Assert.NotNull((await _breakers.EnterAsync(Key with { Secret = "mended" }, Realm, CancellationToken.None)).Value);
        Assert.NotNull((await _breakers.EnterAsync(Key, "another", CancellationToken.None)).Value);
        Assert.NotNull((await _breakers.EnterAsync(Key with { Id = "another" }, Realm, CancellationToken.None)).Value);
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_the_probe_alone()
    {
        using var cancelled = new CancellationTokenSource();
        var probe = (await EnterAsync()).Value!;
        var waits = _breakers.EnterAsync(Key, Realm, cancelled.Token);

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        End(probe, Rejection);

        Assert.Null((await EnterAsync()).Value);
    }

    [Fact]
    public async Task A_key_that_nobody_uses_for_an_hour_is_forgotten()
    {
        End((await EnterAsync()).Value!, Rejection);
        _time.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));

        End((await _breakers.EnterAsync(Key with { Id = "another" }, Realm, CancellationToken.None)).Value!, null);

        Assert.Equal(1, _breakers.Count);
    }

    private static void End(KeyBreakers.Pass pass, Failure? failure)
    {
        using (pass)
            pass.Answered(failure);
    }

    private Task<Read<KeyBreakers.Pass>> EnterAsync() => _breakers.EnterAsync(Key, Realm, CancellationToken.None);
}
