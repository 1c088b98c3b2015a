using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed partial class AccessKeyCircuitBreakersTests
{
    private const string Realm = "vendor";
    private static readonly AccessKey Key = new("id", "secret", SecurityToken: null);
    private static readonly Failure Rejection = new(FailureKind.Denied, "GetBucketEncryption", "InvalidAccessKeyId")
    {
        ConcernsCredentials = true,
        IsVendorAnswer = true,
    };
    private static readonly Failure Unavailable = new(FailureKind.Transient, "GetBucketEncryption", "InternalError")
    {
        IsVendorAnswer = true,
    };
    private static readonly Failure NoBucket = new(FailureKind.Missing, "GetBucketEncryption", "NoSuchBucket")
    {
        HttpStatus = 404,
        IsVendorAnswer = true,
    };
    private static readonly Failure NotSent = new(FailureKind.Refused, "GetBucketEncryption", "AddressNotAllowed");

    private readonly ManualTimeProvider _time = new();
    private readonly AccessKeyCircuitBreakers _breakers;

    public AccessKeyCircuitBreakersTests() => _breakers = new AccessKeyCircuitBreakers(_time);

    [Fact]
    public async Task The_first_call_with_a_new_key_is_the_probe_and_a_hundred_others_share_its_rejection()
    {
        var probe = (await EnterAsync()).Value!;
        var others = Enumerable.Range(0, 100).Select(_ => EnterAsync()).ToList();
        var early = others.Exists(o => o.IsCompleted);

        End(probe, Rejection);
        var answers = await Task.WhenAll(others).Within();

        Assert.False(early);
        Assert.All(answers, a => Assert.Equal((null, Rejection with { IsVendorAnswer = false }), (a.Value, a.Failure)));
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

        End(
            probe,
            end[0] switch
            {
                's' => null,
                'a' => NoBucket,
                _ => Unavailable,
            }
        );

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
        var standings = new List<AccessKeyState> { Standing() };
        foreach (var answer in (Failure?[])[Unavailable, null, NoBucket, Rejection, Rejection])
        {
            End((await EnterAsync()).Value!, answer);
            standings.Add(Standing());
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        _breakers.StopListening(turned.Add);

        Assert.Equal(
            [
                new AccessKeyState.Untried(),
                new AccessKeyState.Untried(),
                new AccessKeyState.Taken(),
                new AccessKeyState.Taken(),
                new AccessKeyState.Rejected(Rejection),
                new AccessKeyState.Rejected(Rejection),
            ],
            standings
        );
        Assert.Equal([Key, Key], turned);
        Assert.IsType<AccessKeyState.Untried>(_breakers.StandingOf(Key, "elsewhere"));

        AccessKeyState Standing() => _breakers.StandingOf(Key, Realm);
    }

    /// <summary>What says nothing of a key: neither that it is good, nor that it is not.</summary>
    private static readonly Dictionary<string, Failure> Silence = new(StringComparer.Ordinal)
    {
        ["a request that was not sent"] = NotSent,
        ["a page of a gateway"] = new(FailureKind.Denied, "GetBucketEncryption", "HTTP_403") { HttpStatus = 403 },
        ["a page that would be about the key"] = new(FailureKind.Denied, "GetBucketEncryption", "HTTP_401")
        {
            HttpStatus = 401,
            ConcernsCredentials = true,
        },
        ["a redirect, which comes before the signature is looked at"] = new(
            FailureKind.Refused,
            "GetBucketEncryption",
            "PermanentRedirect"
        )
        {
            HttpStatus = 301,
            IsVendorAnswer = true,
        },
        ["a temporary key that ended before the request"] = new(
            FailureKind.Transient,
            "GetBucketEncryption",
            "KeyExpired"
        )
        {
            ConcernsCredentials = true,
        },
        ["another breaker's answer"] = Rejection with { IsVendorAnswer = false },
        ["a vendor that fails"] = Unavailable,
    };

    public static TheoryData<string> Silences => new(Silence.Keys);

    [Theory]
    [MemberData(nameof(Silences))]
    public async Task What_says_nothing_of_the_key_changes_nothing(string sentence)
    {
        var standings = new List<AccessKeyState>();
        End((await EnterAsync()).Value!, Silence[sentence]);
        standings.Add(_breakers.StandingOf(Key, Realm));
        End((await EnterAsync()).Value!, null);
        End((await EnterAsync()).Value!, Silence[sentence]);
        standings.Add(_breakers.StandingOf(Key, Realm));
        End((await EnterAsync()).Value!, Rejection);
        _time.Advance(TimeSpan.FromMinutes(1));
        End((await EnterAsync()).Value!, Silence[sentence]);
        standings.Add(_breakers.StandingOf(Key, Realm));

        Assert.Equal(
            [new AccessKeyState.Untried(), new AccessKeyState.Taken(), new AccessKeyState.Rejected(Rejection)],
            standings
        );
    }

    [Fact]
    public async Task A_key_is_taken_elsewhere_only_by_another_realm_that_takes_it_now()
    {
        await AskAsync("eu", null);
        await AskAsync("cn", Rejection);
        var (cn, eu) = (_breakers.IsTakenElsewhere(Key, "cn"), _breakers.IsTakenElsewhere(Key, "eu"));
        await AskAsync("eu", Rejection);

        Assert.Equal((true, false, false), (cn, eu, _breakers.IsTakenElsewhere(Key, "cn")));
    }

    [Fact]
    public async Task A_key_of_many_realms_is_one_key_in_the_metrics()
    {
        await AskAsync("eu", null);
        await AskAsync("us", null);
        var proven = _breakers.States;
        await AskAsync("cn", Rejection);

        Assert.Equal(((0, 1, 0), (0, 0, 1)), (proven, _breakers.States));
    }

    [Fact]
    public async Task A_proven_key_passes_without_waiting()
    {
        End((await EnterAsync()).Value!, null);

        var passes = Enumerable.Range(0, 10).Select(_ => EnterAsync()).ToList();

        Assert.All(
            (IEnumerable<Task<BucketEncryptionOperator.Encryption.Result<AccessKeyCircuitBreakers.Pass>>>)passes,
            p => Assert.NotNull((object?)(p.IsCompleted ? p.Result.Value : null))
        );
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

        Assert.NotNull(
            (await _breakers.EnterAsync(Key with { Secret = "mended" }, Realm, "bucket", CancellationToken.None)).Value
        );
        Assert.NotNull((await _breakers.EnterAsync(Key, "another", "bucket", CancellationToken.None)).Value);
        Assert.NotNull(
            (await _breakers.EnterAsync(Key with { Id = "another" }, Realm, "bucket", CancellationToken.None)).Value
        );
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_the_probe_alone()
    {
        using var cancelled = new CancellationTokenSource();
        var probe = (await EnterAsync()).Value!;
        var waits = _breakers.EnterAsync(Key, Realm, "bucket", cancelled.Token);

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

        End(
            (await _breakers.EnterAsync(Key with { Id = "another" }, Realm, "bucket", CancellationToken.None)).Value!,
            null
        );

        Assert.Equal(1, _breakers.Count);
    }

    [Fact]
    public async Task A_key_that_nobody_uses_is_forgotten_though_no_new_key_comes()
    {
        var busy = Key with { Id = "busy" };
        End((await EnterAsync()).Value!, null);
        for (var i = 0; i < 130; i++)
        {
            End((await _breakers.EnterAsync(busy, Realm, "bucket", CancellationToken.None)).Value!, null);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(1, _breakers.Count);
    }

    /// <summary>
    /// The request was on its way when the key was switched off, and its answer comes after the key is good again.
    /// </summary>
    [Fact]
    public async Task A_late_rejection_of_an_earlier_call_does_not_open_the_breaker_again()
    {
        End((await EnterAsync()).Value!, null);
        var (first, second) = ((await EnterAsync()).Value!, (await EnterAsync()).Value!);
        End(second, Rejection);
        _time.Advance(TimeSpan.FromMinutes(1));
        End((await EnterAsync()).Value!, null);

        End(first, Rejection);

        Assert.NotNull((await EnterAsync()).Value);
    }

    private static void End(AccessKeyCircuitBreakers.Pass pass, Failure? failure)
    {
        using (pass)
            pass.Answered(failure);
    }

    /// <returns>Whether the call was made.</returns>
    private async Task<bool> AskAsync(string realm, Failure? answer, string bucket = "bucket")
    {
        if ((await _breakers.EnterAsync(Key, realm, bucket, CancellationToken.None)).Value is not { } pass)
            return false;
        End(pass, answer);
        return true;
    }

    private Task<Result<AccessKeyCircuitBreakers.Pass>> EnterAsync() =>
        _breakers.EnterAsync(Key, Realm, "bucket", CancellationToken.None);
}
