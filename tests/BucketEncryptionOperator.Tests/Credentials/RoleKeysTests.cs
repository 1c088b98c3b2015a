using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using k8s.Models;
using KubeRuntime.Client;
using Microsoft.Extensions.Logging.Abstractions;
using TestKit;

namespace BucketEncryptionOperator.Tests.Credentials;

/// <summary>
/// The keys of roles that stand on something else: when they follow it, and when they go on without it.
/// </summary>
public sealed class RoleKeysTests : IDisposable
{
    private static readonly SecretSource Secret = new(Given.SecretKey);
    private static readonly KeySource.FromSecret OnSecret = new(Secret);
    private static readonly ServiceAccountIdentity Account = new(
        new NamespacedName("team", "buckets"),
        "oss",
        TokenProtocol.Query,
        "role",
        OidcProviderArn: null,
        "oss@team",
        "eu-west-1"
    );
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly ManualTimeProvider _time = new();
    private readonly AccessKeyCircuitBreakers _breakers;
    private readonly SecretKeys _secrets;
    private readonly TemporaryKeys _temporary;
    private readonly StoreKeys _keys;
    private readonly List<string> _asked = [];
    private Func<V1Secret> _secret = () => Keys("1", "old");
    private Exception? _refusal;

    public RoleKeysTests()
    {
        _breakers = new AccessKeyCircuitBreakers(_time);
        _secrets = new SecretKeys((_, _) => Task.FromResult(_secret()), _breakers, _time);
        _temporary = new TemporaryKeys(
            (identity, basis, _) =>
            {
                _asked.Add($"{(identity as AssumedRole)?.RoleArn} by {basis?.Id}");
                return _refusal is null
                    ? Task.FromResult(
                        new TemporaryKey(new AccessKey($"session-{_asked.Count}", "secret", "token"), Hour)
                    )
                    : Task.FromException<TemporaryKey>(_refusal);
            },
            _breakers,
            _time,
            NullLogger<TemporaryKeys>.Instance
        );
        _keys = new StoreKeys(_secrets, _temporary);
    }

    public void Dispose()
    {
        _secrets.Dispose();
        _temporary.Dispose();
    }

    [Fact]
    public async Task Each_role_of_a_chain_is_assumed_with_the_session_of_the_one_before()
    {
        var chain = Role("second", Role("first", OnSecret));

        var (key, _) = await GetAsync(chain);
        await GetAsync(chain);

        Assert.Equal(["first by old", "second by session-1"], _asked);
        Assert.Equal("session-2", key?.Id);
    }

    [Fact]
    public async Task A_key_that_is_replaced_in_the_Secret_is_followed_by_a_session_of_its_own()
    {
        var role = Role("role", OnSecret);
        await GetAsync(role);
        _secret = () => Keys("2", "new");
        _time.Advance(TimeSpan.FromMinutes(5));

        await GetAsync(role);

        Assert.Equal(["role by old", "role by new"], _asked);
    }

    /// <summary>No request says so: the owner took the key away, and with it what was made of it.</summary>
    [Fact]
    public async Task A_Secret_that_is_deleted_ends_the_use_of_the_session()
    {
        var role = Role("role", OnSecret);
        await GetAsync(role);
        _secret = () => throw Kube(KubeFailureKind.NotFound);
        _time.Advance(TimeSpan.FromMinutes(5));

        var (key, failure) = await GetAsync(role);

        Assert.Equal((null, "SecretNotFound"), (key, failure?.Code));
    }

    /// <summary>An API server that does not answer does not give back what its owner has taken.</summary>
    [Fact]
    public async Task A_session_that_ended_with_its_Secret_does_not_come_back_in_an_outage()
    {
        var chain = Role("second", Role("first", OnSecret));
        await GetAsync(chain);
        foreach (var kind in (KubeFailureKind[])[KubeFailureKind.NotFound, KubeFailureKind.Transient])
        {
            _secret = () => throw Kube(kind);
            _time.Advance(TimeSpan.FromMinutes(5));
            await GetAsync(chain);
        }

        var (key, failure) = await GetAsync(chain);
        Assert.Equal((null, "SecretUnreadable"), (key, failure?.Code));
    }

    /// <summary>The same for the consent of an account.</summary>
    [Fact]
    public async Task A_session_that_ended_with_its_account_does_not_come_back_in_an_outage()
    {
        var role = Role("role", new KeySource.FromIdentity(Account));
        await GetAsync(role);
        _refusal = new KeySourceException(new Failure(Reasons.ServiceAccountNotOffered, "ReadServiceAccount"))
        {
            IsTakenBack = true,
        };
        _time.Advance(TimeSpan.FromMinutes(52)); // the session of the account is due, as the role's
        var (atOnce, _) = await GetAsync(role);
        _refusal = new KeySourceException(new Failure(Reasons.ServiceAccountUnreadable, "ReadServiceAccount"));
        _time.Advance(TimeSpan.FromMinutes(2));

        var (inOutage, failure) = await GetAsync(role);

        Assert.Equal((null, null, "ServiceAccountUnreadable"), (atOnce, inOutage, failure?.Code));
    }

    [Fact]
    public async Task While_the_API_server_does_not_answer_the_session_is_used_to_its_end()
    {
        var first = Role("first", new KeySource.FromIdentity(new AmbientIdentity.PodIdentity()));
        await GetAsync(first);
        _refusal = new KeySourceException(new Failure(FailureKind.Transient, "GetPodIdentityCredentials", "Timeout"));
        var given = new List<bool>();
        for (var minute = 0; minute < 65; minute++)
        {
            given.Add((await GetAsync(first)).Value is not null);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(59, given.Count(g => g));
        Assert.Equal(given.OrderByDescending(g => g), given);
    }

    /// <summary>The pause after a failure is for the key that failed.</summary>
    [Fact]
    public async Task A_corrected_Secret_is_tried_at_once()
    {
        var role = Role("role", OnSecret);
        _refusal = new KeySourceException(new Failure(FailureKind.Denied, "AssumeRole", "InvalidClientTokenId"));
        for (var i = 0; i < 6; i++)
        {
            await GetAsync(role);
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        (_secret, _refusal) = (() => Keys("2", "new"), null);
        var failing = _asked.Count;
        await GetAsync(role); // the failure's pause is over for the old key, too
        _time.Advance(TimeSpan.FromMinutes(5));
        var (key, _) = await GetAsync(role);

        Assert.NotNull(key);
        Assert.Equal("role by new", _asked[^1]);
        Assert.True(failing > 0);
    }

    [Fact]
    public async Task What_the_owner_takes_back_is_not_used_any_more_valid_or_not()
    {
        var source = new KeySource.FromIdentity(Account);
        await GetAsync(source);
        _refusal = new KeySourceException(new Failure(Reasons.ServiceAccountNotFound, "ReadServiceAccount"))
        {
            IsTakenBack = true,
        };
        _time.Advance(Hour - TimeSpan.FromMinutes(10));

        var (key, failure) = await GetAsync(source);

        Assert.Equal((null, "ServiceAccountNotFound"), (key, failure?.Code));
    }

    [Fact]
    public async Task The_version_of_a_chain_is_that_of_its_Secret()
    {
        var chain = Role("second", Role("first", OnSecret));
        await GetAsync(chain);

        Assert.Equal((_secrets.VersionOf(Secret), true), (_keys.VersionOf(chain), _keys.VersionOf(chain).Length > 0));
    }

    private static KeySource.FromIdentity Role(string arn, KeySource by) =>
        new(new AssumedRole(by, TokenProtocol.Query, arn, "oss@team", "eu-west-1"));

    private static V1Secret Keys(string version, string id) =>
        new()
        {
            Metadata = new V1ObjectMeta
            {
                Name = Given.SecretKey.Name,
                Uid = "uid",
                ResourceVersion = version,
            },
            Data = new Dictionary<string, byte[]>(StringComparer.Ordinal)
            {
                ["accessKeyId"] = [.. id.Select(c => (byte)c)],
                ["accessKeySecret"] = "secret"u8.ToArray(),
            },
        };

    private static KubeApiException Kube(KubeFailureKind kind) => new(kind, "GET secrets");

    private Task<Result<AccessKey>> GetAsync(KeySource source) => _keys.GetAsync(source, CancellationToken.None);
}
