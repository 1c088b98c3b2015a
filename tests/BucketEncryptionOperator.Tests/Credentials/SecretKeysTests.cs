using System.Text;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using k8s.Models;
using KubeRuntime.Client;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed partial class SecretKeysTests : IDisposable
{
    private static readonly Failure Rejection = new(FailureKind.Denied, "GetBucketEncryption", "InvalidAccessKeyId")
    {
        ConcernsCredentials = true,
        IsVendorAnswer = true,
    };

    private static readonly SecretSource Source = new(Given.SecretKey);

    private readonly ManualTimeProvider _time = new();
    private readonly AccessKeyCircuitBreakers _breakers;
    private readonly SecretKeys _keys;
    private Func<Task<V1Secret>> _answer;
    private int _gets;

    public SecretKeysTests()
    {
        _answer = () => Task.FromResult(Make());
        _breakers = new AccessKeyCircuitBreakers(_time);
        _keys = new SecretKeys(
            (name, _) =>
            {
                Assert.Equal(Given.SecretKey, name);
                Interlocked.Increment(ref _gets);
                return _answer();
            },
            _breakers,
            _time
        );
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
        _answer = () => throw new KubeApiException(KubeFailureKind.NotFound, "not found");

        var missing = await GetAsync();
        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        await GetAsync();
        var before = _gets;
        _answer = () => Task.FromResult(Make());
        _time.Advance(TimeSpan.FromTicks(1));
        var found = await GetAsync();

        Assert.Equal((1, 2), (before, _gets));
        Assert.Equal(
            (FailureKind.Missing, "SecretNotFound", true),
            (missing.Failure!.Kind, missing.Failure.Code, missing.Failure.ConcernsCredentials)
        );
        Assert.Contains("\"oss-keys\"", missing.Failure.Message, StringComparison.Ordinal);
        Assert.NotNull(found.Value);
    }

    [Fact]
    public async Task Fifty_callers_at_once_cost_one_read_and_share_its_answer()
    {
        var gate = new TaskCompletionSource<V1Secret>(TaskCreationOptions.RunContinuationsAsynchronously);
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
        var first = new TaskCompletionSource<V1Secret>(TaskCreationOptions.RunContinuationsAsynchronously);
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
    public async Task A_Secret_that_cannot_be_used_names_the_field_and_never_the_value(
        string sentence,
        string? id,
        string? secret,
        string? token,
        string field
    )
    {
        _answer = () => Task.FromResult(Make(id, secret, token));

        var (key, failure) = await GetAsync();

        Assert.True(
            key is null && failure is { Kind: FailureKind.Denied, Code: "SecretInvalid", ConcernsCredentials: true },
            sentence
        );
        Assert.Contains($": {field} is missing, or", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", failure.ToString(), StringComparison.Ordinal);
    }

    /// <summary>
    /// A store's author may name any value of any Secret of the namespace; an id and a token leave the cluster in
    /// clear.
    /// </summary>
    [Theory]
    [InlineData("a database's Secret", "password", "host", null)]
    [InlineData("the secret in place of the id", "accessKeySecret", "accessKeyId", null)]
    [InlineData("only the token", null, null, "username")]
    [InlineData("only the secret, which leaves as little as ever", null, "host", null)]
    public async Task Values_that_the_Secret_does_not_offer_as_a_key_are_not_used(
        string sentence,
        string? idKey,
        string? secretKey,
        string? tokenKey
    )
    {
        var data = Data(
            ("password", "hush-password"),
            ("host", "hush-host"),
            ("username", "hush-name"),
            ("accessKeyId", "id"),
            ("accessKeySecret", "hush-secret")
        );
        _answer = () => Task.FromResult(Make() with { Data = data });
        var reference = new SecretReference
        {
            Name = Given.SecretKey.Name,
            AccessKeyIdKey = idKey,
            AccessKeySecretKey = secretKey,
            SecurityTokenKey = tokenKey,
        };

        var (key, failure) = await _keys.GetAsync(reference.In(Given.Namespace), CancellationToken.None);

        Assert.True(
            key is null
                && failure is { Kind: FailureKind.Denied, Code: "SecretKeysNotOffered", ConcernsCredentials: true },
            $"{sentence}: {failure}"
        );
        Assert.Contains("bucketencryption.io/keys", failure.Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_names_of_the_values_are_the_stores_to_choose()
    {
        var data = Data(("AK", "id"), ("SK", "secret"), ("STS", "token"), ("accessKeyId", "another"));
        var offer = "accessKeyId=AK, accessKeySecret=SK,securityToken=STS,accessKeySecret=password";
        var meta = Make().Metadata with
        {
            Annotations = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["bucketencryption.io/keys"] = offer,
            },
        };
        _answer = () => Task.FromResult(Make() with { Metadata = meta, Data = data });
        var named = Source with { IdKey = "AK", SecretKey = "SK", TokenKey = "STS" };

        var (key, _) = await _keys.GetAsync(named, CancellationToken.None);
        var wrong = await _keys.GetAsync(named with { SecretKey = "password" }, CancellationToken.None);

        Assert.Equal(new AccessKey("id", "secret", "token"), key);
        Assert.Contains(": password is missing, or", wrong.Failure?.Message, StringComparison.Ordinal);
        Assert.Contains("AK and password; STS goes", wrong.Failure?.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Secret_without_data_and_one_with_null_values_are_invalid_too()
    {
        _answer = () => Task.FromResult(Make() with { Data = null });
        var without = await GetAsync();
        _time.Advance(TimeSpan.FromSeconds(5));
        _answer = () =>
            Task.FromResult(
                Make(version: "2") with
                {
                    Data = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["accessKeyId"] = null! },
                }
            );
        var nulls = await GetAsync();
        _time.Advance(TimeSpan.FromSeconds(5));
        _answer = () => Task.FromResult(Make(version: "3") with { Data = Data(("accessKeyId", "two\nlines")) });
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
    public async Task A_forgotten_Secret_is_read_anew_and_leaves_nothing_behind()
    {
        var key = (await GetAsync()).Value!;
        _keys.Forget(Source);

        var left = _keys.Count;
        var again = await GetAsync();

        Assert.Equal((0, 2), (left, _gets));
        Assert.NotSame(key, again.Value);
    }

    /// <summary>The last store goes while a reconcile has yet to ask.</summary>
    [Fact]
    public async Task A_Secret_that_no_store_uses_any_more_is_not_kept_for_a_reconcile_that_is_late()
    {
        var isUsed = true;
        using var keys = new SecretKeys((_, _) => _answer(), _breakers, _time, _ => isUsed);
        await keys.GetAsync(Source, CancellationToken.None);
        var kept = keys.Count;
        isUsed = false;
        keys.Forget(Source);

        var late = await keys.GetAsync(Source, CancellationToken.None);

        Assert.NotNull(late.Value);
        Assert.Equal((1, 0), (kept, keys.Count));
    }

    /// <summary>
    /// Rejections, Forget and Get from many threads: no exception, and in the end a key is given again.
    /// </summary>
    [Fact]
    public async Task Threads_do_not_break_it()
    {
        var key = (await GetAsync()).Value!;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 5_000),
            async (i, _) =>
            {
                switch (i % 5)
                {
                    case 0:
                        await PassAsync(key, Rejection);
                        break;
                    case 1:
                        await PassAsync(key, failure: null);
                        break;
                    case 2:
                        _time.Advance(TimeSpan.FromMilliseconds(100));
                        break;
                    case 3 when i % 100 == 3:
                        _keys.Forget(Source);
                        break;
                    default:
                        var (value, failure) = await GetAsync();
                        Assert.True(value is null != failure is null);
                        key = value ?? key;
                        break;
                }
            }
        );

        Assert.NotNull((await GetAsync()).Value);
    }

    private Task RejectAsync(AccessKey key) => PassAsync(key, Rejection);

    /// <summary>A call with the key that ends so, unless the breaker is open.</summary>
    private async Task PassAsync(AccessKey key, Failure? failure)
    {
        using var pass = (await _breakers.EnterAsync(key, "vendor", "bucket", CancellationToken.None)).Value;
        pass?.Answered(failure);
    }

    private static Dictionary<string, byte[]> Data(params (string Name, string Value)[] values) =>
        values.ToDictionary(v => v.Name, v => Encoding.UTF8.GetBytes(v.Value), StringComparer.Ordinal);

    private static CancellationToken TestContextToken() => new(canceled: true);

    private static V1Secret Make(
        string? id = "id",
        string? secret = "secret",
        string? token = null,
        string version = "1"
    )
    {
        var data = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (
            var (name, value) in new[] { ("accessKeyId", id), ("accessKeySecret", secret), ("securityToken", token) }
        )
        {
            if (value is not null)
                data[name] = Encoding.UTF8.GetBytes(value);
        }
        return new V1Secret
        {
            Metadata = new V1ObjectMeta
            {
                Name = "oss-keys",
                NamespaceProperty = Given.Namespace,
                Uid = "u",
                ResourceVersion = version,
            },
            Data = data,
        };
    }

    private Task<Result<AccessKey>> GetAsync() => _keys.GetAsync(Source, CancellationToken.None);
}
