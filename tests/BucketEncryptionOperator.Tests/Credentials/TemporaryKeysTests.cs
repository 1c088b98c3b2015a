using System.Collections.Concurrent;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed class TemporaryKeysTests : IDisposable
{
    private static readonly AmbientIdentity Role = new AmbientIdentity.Rrsa(
        "acs:ram::1:role/r",
        "acs:ram::1:oidc-provider/p",
        "session",
        "cn-hangzhou"
    );
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly Failure Rejection = new(FailureKind.Denied, "GetBucketEncryption", "SecurityTokenExpired")
    {
        ConcernsCredentials = true,
        IsVendorAnswer = true,
    };

    private readonly ManualTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly AccessKeyCircuitBreakers _breakers;
    private readonly TemporaryKeys _keys;
    private Func<Task<TemporaryKey>> _fetch;
    private int _fetched;

    public TemporaryKeysTests()
    {
        _fetch = () => Task.FromResult(Next(Hour));
        _breakers = new AccessKeyCircuitBreakers(_time);
        _keys = new TemporaryKeys(
            (_, _, _) =>
            {
                Interlocked.Increment(ref _fetched);
                return _fetch();
            },
            _breakers,
            _time,
            new RecordingLogger<TemporaryKeys>(_log)
        );
    }

    public void Dispose() => _keys.Dispose();

    [Fact]
    public async Task A_key_of_an_hour_is_renewed_ten_minutes_before_its_end()
    {
        var first = await GetAsync();
        _time.Advance(Hour - TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1));
        var fresh = await GetAsync();
        var before = _fetched;
        _time.Advance(TimeSpan.FromTicks(1));
        var renewed = await GetAsync();

        Assert.Equal(("key-1", "key-1", "key-2"), (first.Value?.Id, fresh.Value?.Id, renewed.Value?.Id));
        Assert.Equal((1, 2), (before, _fetched));
    }

    [Fact]
    public async Task Fifty_callers_at_once_cost_one_request()
    {
        var gate = new TaskCompletionSource<TemporaryKey>(TaskCreationOptions.RunContinuationsAsynchronously);
        _fetch = () => gate.Task;

        var calls = Enumerable.Range(0, 50).Select(_ => GetAsync()).ToList();
        gate.SetResult(Next(Hour));
        var keys = await Task.WhenAll(calls).Within();

        Assert.Equal(1, _fetched);
        Assert.All(keys, k => Assert.Same(keys[0].Value, k.Value));
    }

    [Fact]
    public async Task While_one_caller_renews_a_late_key_the_others_go_on_with_it()
    {
        await GetAsync();
        _time.Advance(Hour - TimeSpan.FromMinutes(5));
        var gate = new TaskCompletionSource<TemporaryKey>(TaskCreationOptions.RunContinuationsAsynchronously);
        _fetch = () => gate.Task;

        var renewing = GetAsync();
        var others = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => GetAsync())).Within();
        gate.SetResult(Next(Hour));

        Assert.All(others, o => Assert.Equal("key-1", o.Value?.Id));
        Assert.Equal("key-2", (await renewing.Within()).Value?.Id);
        Assert.Equal(2, _fetched);
    }

    /// <summary>
    /// Callers come every second from the first late moment to the end: what they get, and what the failing renewals
    /// cost.
    /// </summary>
    [Fact]
    public async Task An_old_key_is_kept_while_renewals_fail_and_never_given_in_its_last_minute()
    {
        await GetAsync();
        Fail(FailureKind.Transient, "Timeout");
        _time.Advance(Hour - TimeSpan.FromMinutes(10));
        var given = new List<(double MinutesLeft, Result<AccessKey> Read)>();
        for (var left = TimeSpan.FromMinutes(10); left >= TimeSpan.FromMinutes(-5); left -= TimeSpan.FromSeconds(1))
        {
            given.Add((left.TotalMinutes, await GetAsync()));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.All(given, g => Assert.Equal(g.MinutesLeft > 1, g.Read.Value is not null));
        Assert.All(given.Where(g => g.Read.Value is null), g => Assert.Equal("Timeout", g.Read.Failure?.Code));
        Assert.InRange(_fetched - 1, 15, 22); // 1, 2, 4, 8, 16, 32 s, and then once a minute
    }

    [Fact]
    public async Task After_a_failure_the_next_success_is_used_at_once()
    {
        Fail(FailureKind.Transient, "Unreachable");
        var failed = await GetAsync();
        var again = await GetAsync();
        var tries = _fetched;
        _fetch = () => Task.FromResult(Next(Hour));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(("Unreachable", "Unreachable", 1), (failed.Failure?.Code, again.Failure?.Code, tries));
        Assert.NotNull((await GetAsync()).Value);
    }

    [Fact]
    public async Task A_key_that_the_vendor_rejects_is_replaced_at_once_and_its_successor_a_minute_later()
    {
        Reject((await GetAsync()).Value!);

        var second = (await GetAsync()).Value!;
        Reject(second);
        var kept = (await GetAsync()).Value;
        _time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        var early = (await GetAsync()).Value;
        _time.Advance(TimeSpan.FromTicks(1));
        var third = (await GetAsync()).Value;

        Assert.Equal(("key-2", "key-2", "key-2", "key-3", 3), (second.Id, kept?.Id, early?.Id, third?.Id, _fetched));
    }

    [Fact]
    public async Task A_rejected_key_that_cannot_be_replaced_yet_is_tried_to_be_again_after_a_second()
    {
        Reject((await GetAsync()).Value!);
        Fail(FailureKind.Transient, "Timeout");

        await GetAsync();
        await GetAsync();
        var tries = _fetched;
        _fetch = () => Task.FromResult(Next(Hour));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal((2, "key-3"), (tries, (await GetAsync()).Value?.Id));
    }

    /// <summary>
    /// A rotation is no event for the vendor: what the old key's breaker said is not the new one's, and no policy waits
    /// for more than one call.
    /// </summary>
    [Fact]
    public async Task A_rejected_old_key_does_not_block_its_successor()
    {
        var old = (await GetAsync()).Value!;
        Reject(old);
        var renewed = (await GetAsync()).Value!;

        Assert.Null((await _breakers.EnterAsync(old, "vendor", "bucket", CancellationToken.None)).Value);
        Assert.NotNull((await _breakers.EnterAsync(renewed, "vendor", "bucket", CancellationToken.None)).Value);
    }

    [Fact]
    public async Task The_same_key_again_is_no_new_key_and_is_not_asked_for_in_a_hurry()
    {
        var same = new AccessKey("id", "secret", "token");
        var end = _time.GetUtcNow() + Hour;
        _fetch = () => Task.FromResult(new TemporaryKey(same, end - _time.GetUtcNow()));
        var first = (await GetAsync()).Value;
        _time.Advance(Hour - TimeSpan.FromMinutes(10));
        for (var second = 0; second < 120; second++)
        {
            Assert.Same(first, (await GetAsync()).Value);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(3, _fetched);
    }

    [Fact]
    public async Task A_key_that_is_over_when_it_arrives_is_not_given()
    {
        _fetch = () => Task.FromResult(Next(TimeSpan.FromSeconds(-1)));

        var (key, failure) = await GetAsync();
        await GetAsync();

        Assert.Null(key);
        // And is a failure like any other: not asked for again at once
        Assert.Equal(("KeyExpired", 1), (failure?.Code, _fetched));
    }

    /// <summary>
    /// A key that lasts by the vendor's clock lasts here, whatever our wall clock said then; and one of ours that jumps
    /// ahead later ends it early, never late.
    /// </summary>
    [Fact]
    public async Task A_machine_that_slept_past_the_end_does_not_use_the_key()
    {
        await GetAsync();
        _time.ShiftWallClock(TimeSpan.FromHours(2));
        Fail(FailureKind.Transient, "Timeout");

        Assert.Null((await GetAsync()).Value);
    }

    [Fact]
    public async Task A_wall_clock_that_is_set_back_does_not_lengthen_a_key()
    {
        await GetAsync();
        _time.ShiftWallClock(TimeSpan.FromHours(-2));
        Fail(FailureKind.Transient, "Timeout");
        _time.Advance(Hour);

        Assert.Null((await GetAsync()).Value);
    }

    [Fact]
    public async Task Whoever_gives_up_leaves_the_request_to_the_next()
    {
        using var cancelled = new CancellationTokenSource();
        var gate = new TaskCompletionSource<TemporaryKey>();
        _fetch = () => gate.Task.WaitAsync(cancelled.Token);
        var first = _keys.GetAsync(Role, basis: null, cancelled.Token);
        var second = GetAsync();
        _fetch = () => Task.FromResult(Next(Hour));

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.NotNull((await second.Within()).Value);
    }

    [Fact]
    public async Task Another_identity_has_a_key_of_its_own_and_a_forgotten_one_leaves_nothing_behind()
    {
        await GetAsync();
        await _keys.GetAsync(new AmbientIdentity.EcsRamRole(null), basis: null, CancellationToken.None);
        var two = _keys.Count;
        _keys.Forget(Role);

        Assert.Equal((2, 1, 2), (two, _keys.Count, _fetched));
    }

    [Fact]
    public async Task A_failing_renewal_is_a_warning_with_the_step_the_code_and_what_the_vendor_said()
    {
        await GetAsync();
        _time.Advance(Hour - TimeSpan.FromMinutes(10));
        _fetch = () =>
            throw new KeySourceException(
                new Failure(FailureKind.Denied, "AssumeRoleWithOIDC", "NoPermission")
                {
                    Message = "refused.",
                    RequestId = "r-1",
                }
            )
            {
                Said = "not for you",
            };
        await GetAsync();

        var warning = Assert.Single(_log, l => l.StartsWith("Warning", StringComparison.Ordinal));
        Assert.Contains(
            "AssumeRoleWithOIDC failed with NoPermission. refused. not for you (request r-1). The old ones are good "
                + "for 00:10:00",
            warning,
            StringComparison.Ordinal
        );
    }

    /// <summary>A region that does not know the key will not know its successors either.</summary>
    [Fact]
    public async Task A_key_that_one_region_takes_is_not_replaced_for_another_that_has_never_taken_it()
    {
        var key = (await GetAsync()).Value!;
        Answer(key, "eu", failure: null);
        Answer(key, "cn", Rejection);
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await GetAsync();
        }
        var foreign = _fetched;
        Answer(key, "eu", Rejection);
        await GetAsync();

        Assert.Equal((1, 2), (foreign, _fetched));
    }

    private void Fail(FailureKind kind, string code) =>
        _fetch = () => throw new KeySourceException(new Failure(kind, "AssumeRoleWithOIDC", code));

    private void Reject(AccessKey key) => Answer(key, "vendor", Rejection);

    private void Answer(AccessKey key, string realm, Failure? failure)
    {
        using var pass = _breakers.EnterAsync(key, realm, "bucket", CancellationToken.None).Result.Value;
        pass?.Answered(failure);
    }

    private TemporaryKey Next(TimeSpan lasts) =>
        new(new AccessKey($"key-{_fetched}", "secret", $"token-{_fetched}"), lasts);

    private Task<Result<AccessKey>> GetAsync() => _keys.GetAsync(Role, basis: null, CancellationToken.None);
}
