using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using TestKit;

namespace BucketEncryptionOperator.Tests.KmsKeys;

/// <summary>Who asks about a KMS key, how often, and who learns of the answer.</summary>
public sealed class KeyHealthsTests
{
    private static readonly KeyHealth Usable = new KeyHealth.Usable();
    private static readonly KeyHealth Disabled = new KeyHealth.Unusable(Reasons.KeyDisabled, "Disabled")
    {
        Hint = "Enable it.",
    };

    private readonly ManualTimeProvider _time = new();
    private readonly List<NamespacedName> _asked = [];
    private readonly List<TimeSpan> _delays = [];
    private readonly List<NamespacedName> _woken = [];
    private readonly KeyHealths _healths;

    public KeyHealthsTests() => _healths = new KeyHealths(Asked, _time);

    [Fact]
    public void A_thousand_policies_under_three_keys_ask_three_questions()
    {
        for (var i = 0; i < 1000; i++)
            _healths.Follow(Policy(i), [Question($"key-{i % 3}")]);

        Assert.Equal(3, _asked.Count);
        Assert.Equal(3, _healths.Names.Length);
    }

    [Fact]
    public void A_question_that_nobody_follows_is_forgotten()
    {
        for (var i = 0; i < 10; i++)
            _healths.Follow(Policy(i), [Question("key-0"), Question("key-1")]);
        for (var i = 0; i < 10; i++)
            _healths.Follow(Policy(i), [Question("key-1")]);
        var left = _healths.Names.Length;
        for (var i = 0; i < 10; i++)
            _healths.Leave(Policy(i));

        Assert.Equal(1, left);
        Assert.Empty(_healths.Names);
        Assert.All(_asked, name => Assert.Null(_healths.Find(name)));
    }

    [Fact]
    public async Task Only_policies_that_have_reported_another_answer_are_enqueued()
    {
        await RunAsync(() =>
        {
            _healths.Follow(Policy(0), [Question()]); // has not come to its report yet
            _healths.Follow(Policy(1), [Question()]);
            _healths.Report(Policy(1), Question());
            _healths.Record(_asked[0], Usable);
            _healths.Report(Policy(0), Question());
            _healths.Report(Policy(1), Question());
            _healths.Record(_asked[0], new KeyHealth.Usable());
        });

        Assert.Equal([Policy(1)], _woken);
    }

    [Fact]
    public async Task Two_denials_that_differ_in_their_request_alone_are_one_answer()
    {
        await RunAsync(() =>
        {
            _healths.Follow(Policy(0), [Question()]);
            _healths.Record(_asked[0], Denied("1"));
            _healths.Report(Policy(0), Question());
            _healths.Record(_asked[0], Denied("2"));
        });

        Assert.Empty(_woken);
    }

    [Fact]
    public void A_failure_that_passes_does_not_replace_what_is_known_until_that_is_old()
    {
        _healths.Follow(Policy(0), [Question()]);
        _healths.Record(_asked[0], Disabled);
        _time.Advance(KeyHealths.KeptFor - TimeSpan.FromSeconds(1));
        _healths.Record(_asked[0], Down);
        var kept = _healths.Report(Policy(0), Question());
        _time.Advance(TimeSpan.FromSeconds(1));
        _healths.Record(_asked[0], Down);

        Assert.Equal(Disabled, kept);
        Assert.Equal(Down, _healths.Report(Policy(0), Question()));
    }

    [Fact]
    public void A_denial_replaces_what_is_known_at_once()
    {
        _healths.Follow(Policy(0), [Question()]);
        _healths.Record(_asked[0], Disabled);

        _healths.Record(_asked[0], Denied("1"));

        Assert.Equal(Denied("1"), _healths.Report(Policy(0), Question()));
    }

    [Fact]
    public async Task A_slow_key_service_makes_one_caller_wait_and_is_trusted_again_after_an_answer()
    {
        _healths.Follow(Policy(0), [Question("key-0"), Question("key-1")]);

        var first = GetAsync("key-0");
        var waits = !first.IsCompleted;
        _time.Advance(KeyHealths.Patience);
        var nothing = await first;
        var second = GetAsync("key-1"); // the same service
        var isAtOnce = second.IsCompleted;
        _healths.Record(_asked[1], Usable);
        _healths.Follow(Policy(1), [Question("key-2")]);
        var third = GetAsync("key-2");
        var waitsAgain = !third.IsCompleted;
        _healths.Record(_asked[^1], Disabled);

        Assert.True(waits);
        Assert.Null(nothing);
        Assert.True(isAtOnce);
        Assert.Null(await second);
        Assert.True(waitsAgain);
        Assert.Equal(Disabled, await third);
    }

    [Fact]
    public async Task A_write_that_comes_while_the_first_question_is_under_way_asks_no_second_one()
    {
        _healths.Follow(Policy(0), [Question()]);

        var health = GetAsync("key-0");
        _healths.Record(_asked[0], Usable);

        Assert.Equal(Usable, await health);
        Assert.Single(_asked);
    }

    [Fact]
    public async Task What_slows_one_access_key_down_makes_no_other_ones_write_go_without_an_answer()
    {
        var others = Question() with
        {
            Credentials = new KeySource.FromSecret(new SecretSource(new NamespacedName("team-b", "keys"))),
        };
        _healths.Follow(Policy(0), [Question()]);
        _healths.Record(_asked[0], Throttled);
        _healths.Follow(Policy(1), [others]);

        var health = _healths.GetAsync(others, TimeSpan.FromMinutes(1), CancellationToken.None);
        _healths.Record(_asked[1], Disabled);

        Assert.Equal(Disabled, await health);
    }

    [Fact]
    public void Questions_are_shared_out_by_access_key()
    {
        _healths.Follow(Policy(0), [Question("key-0"), Question("key-1")]);
        _healths.Follow(
            Policy(1),
            [
                Question() with
                {
                    Credentials = new KeySource.FromSecret(new SecretSource(new NamespacedName("team-b", "keys"))),
                },
            ]
        );

        var groups = _asked.Select(_healths.GroupOf).ToList();

        Assert.Equal(groups[0], groups[1]);
        Assert.NotEqual(groups[0].Tenant, groups[2].Tenant);
        Assert.Equal(groups[0].Target, groups[2].Target);
    }

    [Fact]
    public async Task Only_an_answer_that_says_dead_must_be_young()
    {
        _healths.Follow(Policy(0), [Question("key-0"), Question("key-1")]);
        _healths.Record(_asked[0], Usable);
        _healths.Record(_asked[1], Disabled);
        _time.Advance(TimeSpan.FromMinutes(1));

        var usable = GetAsync("key-0");
        var disabled = GetAsync("key-1");

        Assert.Equal(Usable, await usable);
        Assert.False(disabled.IsCompleted);
        _healths.Record(_asked[1], Disabled);
        Assert.Equal(Disabled, await disabled);
    }

    [Fact]
    public void Asking_again_waits_until_the_answer_is_as_old_as_the_spacing()
    {
        _healths.Follow(Policy(0), [Question()]);
        _healths.Record(_asked[0], Usable);
        _delays.Clear();

        _time.Advance(TimeSpan.FromSeconds(20));
        _healths.AskAgain(Question(), TimeSpan.FromMinutes(1));
        _time.Advance(TimeSpan.FromSeconds(40));
        _healths.AskAgain(Question(), TimeSpan.FromMinutes(1));

        Assert.Equal([TimeSpan.FromSeconds(40), TimeSpan.Zero], _delays);
    }

    [Fact]
    public void Another_access_key_is_another_question()
    {
        _healths.Follow(Policy(0), [Question()]);
        _healths.Record(_asked[0], Disabled);

        _healths.Follow(Policy(1), [Question() with { CredentialsVersion = "2" }]);

        Assert.Equal(2, _asked.Count);
        Assert.Null(_healths.Report(Policy(1), Question() with { CredentialsVersion = "2" }));
    }

    private static KeyHealth Down { get; } =
        new KeyHealth.Unknown(new Failure(FailureKind.Transient, "DescribeKey", "Timeout"));

    private static KeyHealth Throttled { get; } =
        new KeyHealth.Unknown(new Failure(FailureKind.Throttled, "DescribeKey", "Throttling"));

    private static KeyHealth Denied(string request) =>
        new KeyHealth.Unknown(
            new Failure(FailureKind.Denied, "DescribeKey", "Forbidden.NoPermission") { RequestId = request }
        );

    private static NamespacedName Policy(int number) => new("team-a", $"policy-{number}");

    private static FollowedKey Question(string key = "key-0") =>
        new(
            "AlibabaOSS",
            new KeyServiceAddress(new Uri("https://kms.cn-hangzhou.aliyuncs.com"), "cn-hangzhou", VendorOptions.None),
            new KeySource.FromSecret(new SecretSource(new NamespacedName("team-a", "keys"))),
            "1",
            new KmsKeyName(key)
        );

    private void Asked(NamespacedName name, TimeSpan delay)
    {
        _asked.Add(name);
        _delays.Add(delay);
    }

    private Task<KeyHealth?> GetAsync(string key) =>
        _healths.GetAsync(Question(key), TimeSpan.FromMinutes(1), CancellationToken.None);

    private async Task RunAsync(Action act)
    {
        using var stop = new CancellationTokenSource();
        var source = _healths.RunAsync(_woken.Add, stop.Token);
        act();
        await stop.CancelAsync();
        await source.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
