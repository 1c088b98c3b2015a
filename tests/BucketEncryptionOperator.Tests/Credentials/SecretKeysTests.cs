using System.Collections.Immutable;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Api;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed class SecretKeysTests : IDisposable
{
    private static readonly Failure Rejection = new(FailureKind.Denied, "GetBucketEncryption", "InvalidAccessKeyId") { ConcernsCredentials = true };

    private readonly ManualTimeProvider _time = new();
    private readonly SecretKeys _keys;
    private Func<Task<Secret>> _answer;
    private int _gets;

    public SecretKeysTests()
    {
        _answer = () => Task.FromResult(Make());
        _keys = new SecretKeys(
            (name, _) =>
            {
                Assert.Equal(Given.SecretKey, name);
                Interlocked.Increment(ref _gets);
                return _answer();
            },
            _time);
    }

    public void Dispose() => _keys.Dispose();

    [Fact]
    public async Task A_key_is_read_once_and_again_after_five_minutes()
    {
        var first = await GetAsync();
        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        var second = await GetAsync();
        var before = _gets;
        _time.Advance(TimeSpan.FromTicks(1));
        var third = await GetAsync();

        Assert.Equal((1, 2), (before, _gets));
        Assert.Equal(new AccessKey("id", "secret", null), first.Value);
        Assert.Same(first.Value, second.Value);
        Assert.Same(first.Value, third.Value); // the same version is not parsed again
    }

    [Fact]
    public async Task A_missing_Secret_is_looked_for_again_after_five_seconds()
    {
        _answer = () => throw new KubeApiException(KubeFailure.NotFound, "not found");

        var missing = await GetAsync();
        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        await GetAsync();
        var before = _gets;
        _answer = () => Task.FromResult(Make());
        _time.Advance(TimeSpan.FromTicks(1));
        var found = await GetAsync();

        Assert.Equal((1, 2), (before, _gets));
        Assert.Equal((FailureKind.Missing, "SecretNotFound", true), (missing.Failure!.Kind, missing.Failure.Code, missing.Failure.ConcernsCredentials));
        Assert.Contains("\"oss-keys\"", missing.Failure.Message, StringComparison.Ordinal);
        Assert.NotNull(found.Value);
    }

    [Fact]
    public async Task Fifty_callers_at_once_cost_one_read_and_share_its_answer()
    {
        var gate = new TaskCompletionSource<Secret>(TaskCreationOptions.RunContinuationsAsynchronously);
        _answer = () => gate.Task;

        var calls = Enumerable.Range(0, 50).Select(_ => GetAsync()).ToList(); // each runs until it waits
        gate.SetResult(Make());
        var keys = await Task.WhenAll(calls);

        Assert.Equal(1, _gets);
        Assert.All(keys, k => Assert.Same(keys[0].Value, k.Value));
    }

    [Fact]
    public async Task A_caller_that_gives_up_leaves_the_read_to_the_next()
    {
        var first = new TaskCompletionSource<Secret>(TaskCreationOptions.RunContinuationsAsynchronously);
        _answer = () => first.Task;
        var reading = GetAsync();
        var waiting = GetAsync();

        _answer = () => Task.FromResult(Make());
        first.SetCanceled(TestContextToken());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.NotNull((await waiting).Value);
        Assert.Equal(2, _gets);
    }

    [Theory]
    [InlineData("no accessKeyId", null, "secret", null, "accessKeyId")]
    [InlineData("an empty accessKeyId", "", "secret", null, "accessKeyId")]
    [InlineData("no accessKeySecret", "id", null, null, "accessKeySecret")]
    [InlineData("an empty accessKeySecret", "id", "", null, "accessKeySecret")]
    [InlineData("an empty token", "id", "secret", "", "securityToken")]
    [InlineData("a blank inside", "id", "hush hush", null, "accessKeySecret")]
    [InlineData("a newline inside", "id", "hush\nhush", null, "accessKeySecret")]
    [InlineData("a header inside", "id\r\nx-evil: hush", "secret", null, "accessKeyId")]
    [InlineData("letters that are not ASCII", "id", "hush\u00e9", null, "accessKeySecret")]
    [InlineData("a NUL", "id", "hush\0", null, "accessKeySecret")]
    [InlineData("a token with a blank", "id", "secret", "hush hush", "securityToken")]
    public async Task A_Secret_that_cannot_be_used_names_the_field_and_never_the_value(string sentence, string? id, string? secret, string? token, string field)
    {
        _answer = () => Task.FromResult(Make(id, secret, token));

        var (key, failure) = await GetAsync();

        Assert.True(key is null && failure is { Kind: FailureKind.Denied, Code: "SecretInvalid", ConcernsCredentials: true }, sentence);
        Assert.Contains($": {field} is missing, or", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Secret_without_data_and_one_with_null_values_are_invalid_too()
    {
        _answer = () => Task.FromResult(Make() with { Data = null });
        var without = await GetAsync();
        _time.Advance(TimeSpan.FromSeconds(5));
        _answer = () => Task.FromResult(Make(version: "2") with { Data = ImmutableDictionary<string, string?>.Empty.Add("accessKeyId", null) });
        var nulls = await GetAsync();
        _time.Advance(TimeSpan.FromSeconds(5));
        _answer = () => Task.FromResult(Make(version: "3") with { Data = ImmutableDictionary<string, string?>.Empty.Add("accessKeyId", "not base64!") });
        var garbage = await GetAsync();

        Assert.All([without, nulls, garbage], r => Assert.Equal("SecretInvalid", r.Failure?.Code));
    }

    [Theory]
    [InlineData("secret\n")]
    [InlineData("secret\r\n")]
    [InlineData("secret\n\n")]
    public async Task A_newline_at_the_end_is_dropped(string secret)
    {
        _answer = () => Task.FromResult(Make("id\n", secret, "token\n"));

        Assert.Equal(new AccessKey("id", "secret", "token"), (await GetAsync()).Value);
    }

    [Fact]
    public async Task A_rejected_key_is_shared_as_an_answer_and_probed_once_a_minute()
    {
        var key = (await GetAsync()).Value!;
        _keys.Reject(Given.SecretKey, key, Rejection);

        var during = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(GetAsync)));
        _time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        var justBefore = await GetAsync();
        _time.Advance(TimeSpan.FromTicks(1));
        var due = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(GetAsync)));
        _keys.Reject(Given.SecretKey, key, Rejection);
        var after = await GetAsync();

        Assert.All([.. during, justBefore, after], r => Assert.Equal(new Read<AccessKey>(null, Rejection), r));
        Assert.Same(key, Assert.Single(due, r => r.Value is not null).Value);
    }

    [Fact]
    public async Task A_rejected_keys_Secret_is_read_every_five_seconds_and_a_new_version_mends_it()
    {
        var key = (await GetAsync()).Value!;
        _keys.Reject(Given.SecretKey, key, Rejection);
        _time.Advance(TimeSpan.FromSeconds(5));
        var same = await GetAsync();
        _answer = () => Task.FromResult(Make(secret: "better", version: "2"));
        _time.Advance(TimeSpan.FromSeconds(5));

        var mended = await GetAsync();

        Assert.Equal(Rejection, same.Failure);
        Assert.Equal("better", mended.Value?.Secret);
        Assert.Equal(3, _gets);
    }

    [Fact]
    public async Task A_rejection_of_an_older_key_does_not_concern_the_newer_one()
    {
        var old = (await GetAsync()).Value!;
        _answer = () => Task.FromResult(Make(secret: "better", version: "2"));
        _time.Advance(TimeSpan.FromMinutes(5));
        var better = (await GetAsync()).Value!;

        _keys.Reject(Given.SecretKey, old, Rejection);

        Assert.Same(better, (await GetAsync()).Value);
    }

    [Fact]
    public async Task An_accepted_probe_ends_the_rejection()
    {
        var key = (await GetAsync()).Value!;
        _keys.Reject(Given.SecretKey, key, Rejection);

        _keys.Accept(Given.SecretKey, key);

        Assert.Same(key, (await GetAsync()).Value);
    }

    [Theory]
    [InlineData(KubeFailure.Transient)]
    [InlineData(KubeFailure.Throttled)]
    public async Task A_key_stays_good_while_Kubernetes_cannot_be_asked(KubeFailure failure)
    {
        var key = (await GetAsync()).Value;
        _answer = () => throw new KubeApiException(failure, "no");
        _time.Advance(TimeSpan.FromMinutes(5));

        var kept = await GetAsync();

        Assert.Equal(2, _gets);
        Assert.Same(key, kept.Value);
    }

    [Theory]
    [InlineData(KubeFailure.NotFound, "Missing", "SecretNotFound")]
    [InlineData(KubeFailure.Denied, "Denied", "SecretForbidden")]
    [InlineData(KubeFailure.Transient, "Transient", "SecretUnreadable")]
    [InlineData(KubeFailure.Throttled, "Throttled", "SecretUnreadable")]
    public async Task A_Secret_that_is_not_given_says_why(KubeFailure kubeFailure, string kind, string code)
    {
        _answer = () => throw new KubeApiException(kubeFailure, "no");

        var (key, failure) = await GetAsync();

        Assert.Null(key);
        Assert.Equal((kind, code, SecretKeys.ReadSecret), (failure!.Kind.ToString(), failure.Code, failure.Operation));
    }

    [Theory]
    [InlineData(KubeFailure.NotFound)]
    [InlineData(KubeFailure.Denied)]
    public async Task A_key_whose_Secret_is_gone_is_not_used_any_more(KubeFailure failure)
    {
        await GetAsync();
        _answer = () => throw new KubeApiException(failure, "no");
        _time.Advance(TimeSpan.FromMinutes(5));

        Assert.Null((await GetAsync()).Value);
    }

    [Fact]
    public async Task A_forgotten_Secret_is_read_anew_and_leaves_nothing_behind()
    {
        var key = (await GetAsync()).Value!;
        _keys.Forget(Given.SecretKey);

        _keys.Reject(Given.SecretKey, key, Rejection);
        _keys.Accept(Given.SecretKey, key);
        var left = _keys.Count;
        var again = await GetAsync();

        Assert.Equal((0, 2), (left, _gets));
        Assert.NotSame(key, again.Value);
    }

    /// <summary>Reject, Accept, Forget and Get from many threads: no exception, and in the end a good key is given again.</summary>
    [Fact]
    public async Task Threads_do_not_break_it()
    {
        var key = (await GetAsync()).Value!;
        await Parallel.ForEachAsync(Enumerable.Range(0, 5_000), async (i, _) =>
        {
            switch (i % 5)
            {
                case 0:
                    _keys.Reject(Given.SecretKey, key, Rejection);
                    break;
                case 1:
                    _keys.Accept(Given.SecretKey, key);
                    break;
                case 2:
                    _time.Advance(TimeSpan.FromMilliseconds(100));
                    break;
                case 3 when i % 100 == 3:
                    _keys.Forget(Given.SecretKey);
                    break;
                default:
                    var (value, failure) = await GetAsync();
                    Assert.True(value is null != failure is null);
                    key = value ?? key;
                    break;
            }
        });
        _keys.Accept(Given.SecretKey, key);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.NotNull((await GetAsync()).Value);
    }

    private static CancellationToken TestContextToken() => new(canceled: true);

    private static Secret Make(string? id = "id", string? secret = "secret", string? token = null, string version = "1")
    {
        var data = ImmutableDictionary.CreateBuilder<string, string?>();
        foreach (var (name, value) in new[] { ("accessKeyId", id), ("accessKeySecret", secret), ("securityToken", token) })
        {
            if (value is not null)
                data[name] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value));
        }
        return new Secret { Metadata = new ObjectMeta { Name = "oss-keys", Namespace = Given.Namespace, Uid = "u", ResourceVersion = version }, Data = data.ToImmutable() };
    }

    private Task<Read<AccessKey>> GetAsync() => _keys.GetAsync(Given.SecretKey, CancellationToken.None);
}
