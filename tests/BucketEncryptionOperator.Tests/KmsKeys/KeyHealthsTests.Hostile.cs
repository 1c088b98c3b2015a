using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using TestKit;

namespace BucketEncryptionOperator.Tests.KmsKeys;

/// <summary>Questions that cross each other.</summary>
public sealed class HostileKeyHealthsTests
{
    private static readonly NamespacedName Policy = new("team-a", "policy");
    private static readonly FollowedKey Question = new(
        "AlibabaOSS",
        new KeyServiceAddress(new Uri("https://kms.cn-hangzhou.aliyuncs.com"), "cn-hangzhou", VendorOptions.None),
        new KeySource.FromSecret(new SecretSource(new NamespacedName("team-a", "keys"))),
        "1",
        new KmsKeyName("key")
    );

    private readonly ManualTimeProvider _time = new();
    private readonly List<NamespacedName> _asked = [];
    private readonly KeyHealths _healths;

    public HostileKeyHealthsTests() => _healths = new KeyHealths((name, _) => _asked.Add(name), _time);

    [Fact]
    public async Task A_write_that_waits_for_a_question_which_is_on_its_way_asks_no_second_one()
    {
        _healths.Follow(Policy, [Question]);
        var first = GetAsync();
        var second = GetAsync();
        _healths.Record(_asked[0], new KeyHealth.Usable());

        Assert.Single(_asked);
        Assert.IsType<KeyHealth.Usable>(await first);
        Assert.IsType<KeyHealth.Usable>(await second);
    }

    [Fact]
    public async Task A_failure_that_answered_a_write_is_asked_again_by_the_next_one()
    {
        _healths.Follow(Policy, [Question]);
        _healths.Record(_asked[0], new KeyHealth.Unusable(Reasons.KeyDisabled, "Disabled") { Hint = "Enable it." });
        _time.Advance(TimeSpan.FromMinutes(1));
        var first = GetAsync();
        _healths.Record(_asked[0], Down);
        var second = GetAsync();

        Assert.Equal(3, _asked.Count);
        Assert.Equal(Down, await first);
        Assert.Null(await second);
    }

    private static KeyHealth Down { get; } =
        new KeyHealth.Unknown(new Failure(FailureKind.Transient, "DescribeKey", "Timeout"));

    private Task<KeyHealth?> GetAsync() => _healths.GetAsync(Question, TimeSpan.FromMinutes(1), CancellationToken.None);
}
