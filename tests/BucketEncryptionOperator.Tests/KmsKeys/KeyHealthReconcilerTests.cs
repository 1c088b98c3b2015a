using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using TestKit;

namespace BucketEncryptionOperator.Tests.KmsKeys;

/// <summary>One question, and when the next one comes.</summary>
public sealed class KeyHealthReconcilerTests : IDisposable
{
    private static readonly NamespacedName Policy = new("team-a", "policy");

    private readonly ManualTimeProvider _time = new();
    private readonly List<NamespacedName> _asked = [];
    private readonly InMemoryKeyService _service = new() { IsThere = true };
    private readonly KeyHealths _healths;
    private readonly SecretKeys _secrets;
    private readonly TemporaryKeys _temporary;
    private readonly KeyHealthReconciler _reconciler;
    private Func<TemporaryKey> _fetch = () =>
        new TemporaryKey(new AccessKey("STS.key", "hush", "hush-token"), TimeSpan.FromHours(1));

    public KeyHealthReconcilerTests()
    {
        var breakers = new AccessKeyCircuitBreakers(_time);
        _healths = new KeyHealths((name, _) => _asked.Add(name), _time);
        _secrets = new SecretKeys((_, _) => throw new InvalidOperationException("no Secret is named"), breakers, _time);
        _temporary = new TemporaryKeys(
            (_, _, _) => Task.FromResult(_fetch()),
            breakers,
            _time,
            new RecordingLogger<TemporaryKeys>(new())
        );
        _reconciler = new KeyHealthReconciler(
            _healths,
            new StoreKeys(_secrets, _temporary),
            new Dictionary<string, IKeyServiceApi>(StringComparer.Ordinal) { ["AlibabaOSS"] = _service },
            new Random(1),
            new RecordingLogger<KeyHealthReconciler>(new())
        );
        _healths.Follow(Policy, [Question]);
    }

    public void Dispose()
    {
        _secrets.Dispose();
        _temporary.Dispose();
    }

    [Fact]
    public async Task Without_an_access_key_nothing_is_said_of_the_KMS_key_and_it_is_asked_for_a_minute_later()
    {
        _fetch = () => throw new KeySourceException(new Failure(FailureKind.Denied, "AssumeRole", "NoPermission"));

        var next = await AskAsync();

        Assert.Equal(new ReconcileResult.Retry(KeyHealthReconciler.RetryAfter), next);
        Assert.Null(_healths.Report(Policy, Question));
        Assert.Empty(_service.Calls);
    }

    [Fact]
    public async Task An_access_key_that_is_missing_for_a_while_takes_back_nothing_that_is_known()
    {
        await AskAsync();
        var known = _healths.Report(Policy, Question);
        _time.Advance(TimeSpan.FromHours(1));
        _fetch = () => throw new KeySourceException(new Failure(FailureKind.Denied, "AssumeRole", "NoPermission"));

        await AskAsync();

        Assert.NotNull(known);
        Assert.Equal(known, _healths.Report(Policy, Question));
    }

    private static FollowedKey Question { get; } =
        new(
            "AlibabaOSS",
            new KeyServiceAddress(new Uri("https://kms.cn-hangzhou.aliyuncs.com"), "cn-hangzhou", VendorOptions.None),
            new KeySource.FromIdentity(new AmbientIdentity.EcsRamRole(Name: null)),
            "1",
            new KmsKeyName("key-0")
        );

    private Task<ReconcileResult> AskAsync() =>
        _reconciler.ReconcileAsync(_asked[0], attempt: 0, CancellationToken.None);
}
