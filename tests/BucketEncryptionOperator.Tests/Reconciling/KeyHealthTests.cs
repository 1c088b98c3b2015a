using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>What a policy says of its KMS keys, and what it does not write because of them.</summary>
public sealed partial class KeyHealthTests : IAsyncLifetime
{
    private const string Bucket = "finance-archive";
    private const string Key = "0d1f-key";

    private static readonly DateTimeOffset Deletion = new(2026, 12, 24, 8, 30, 0, TimeSpan.Zero);
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();

    private readonly Workbench _bench = new(bucketConcurrency: 4);
    private int _requests;

    public KeyHealthTests()
    {
        _bench.KeyService.IsThere = true;
        _bench.KeyService.Keys[Key] = new KeyHealth.Usable();
        _bench.Vendor[Bucket] = Aes;
    }

    public static TheoryData<string, bool> States { get; } =
        new()
        {
            { "KeyDisabled", true },
            { "KeyPendingDeletion", true },
            { "KeyPendingImport", true },
            { "KeyNotFound", false },
            { "KeyInOtherRegion", false },
            { "KeyNotForEncryption", false },
            { "KeyUnavailable", false },
        };

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task An_enabled_key_is_said_to_be_usable_and_nothing_waits_for_it()
    {
        await _bench.Start(Policy()).ReconcileWithKeysAsync();

        Assert.Equal(("True", "KeyEnabled"), KeyUsable());
        Assert.Equal("True", Ready());
        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]);
        Assert.Equal(Key, Assert.Single(_bench.KeyService.Calls).Key);
        Assert.DoesNotContain("KeyEnabled", _bench.Events.Reasons);
    }

    [Theory]
    [MemberData(nameof(States))]
    public async Task A_bucket_that_has_the_key_stays_Ready_whatever_the_key_s_state(string reason, bool isDead)
    {
        _ = isDead;
        _bench.Vendor[Bucket] = Kms(Key);
        _bench.KeyService.Keys[Key] = Unusable(reason);

        await _bench.Start(Policy()).ReconcileWithKeysAsync();

        Assert.Equal(("False", reason), KeyUsable());
        Assert.Equal("True", Ready());
        var warned = Assert.Single(_bench.Events.All, e => e.Reason == reason);
        Assert.True(warned.IsWarning);
        Assert.Contains(Key, warned.Note, StringComparison.Ordinal);
        Assert.Contains("Mend the key.", warned.Note, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(States))]
    public async Task Only_a_dead_key_refuses_a_write_that_would_name_it(string reason, bool isDead)
    {
        _bench.KeyService.Keys[Key] = Unusable(reason);

        await _bench.Start(Policy()).ReconcileWithKeysAsync();

        Assert.Equal(("False", reason), KeyUsable());
        Assert.Equal(isDead ? Aes : Kms(Key), _bench.Vendor[Bucket]);
        Assert.Equal(isDead ? "False" : "True", Ready());
        if (!isDead)
            return;
        Assert.Equal("KeyUnusable", Condition("Ready").Reason);
        Assert.Equal("True", Condition("Stalled").Status);
        Assert.Equal("False", Condition("Compliant").Status);
        var row = Assert.Single(_bench.Status.Buckets);
        Assert.Equal((BucketStatus.Drifted, "KeyUnusable"), (row.State, row.Error?.Code));
        Assert.Equal(0, _bench.Vendor.Count("Put"));
        Assert.Contains("KeyUnusable", _bench.Events.Reasons);
    }

    [Fact]
    public async Task A_bucket_that_has_the_dead_key_already_gets_everything_else_that_is_declared()
    {
        _bench.Vendor[Bucket] = Kms(Key);
        _bench.KeyService.Keys[Key] = Unusable("KeyDisabled");
        var policy = Policy();
        policy = policy with
        {
            Spec = policy.Spec with { Encryption = policy.Spec.Encryption with { KmsDataEncryption = "SM4" } },
        };

        await _bench.Start(policy).ReconcileWithKeysAsync();

        Assert.Equal(new BucketEncryption.Kms(Key, DataCipher.Sm4), _bench.Vendor[Bucket]);
        Assert.Equal("True", Ready());
    }

    [Fact]
    public async Task A_key_that_is_enabled_again_wakes_the_policy_which_then_writes()
    {
        _bench.KeyService.Keys[Key] = Unusable("KeyDisabled");
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        _bench.KeyService.Keys[Key] = new KeyHealth.Usable();
        _bench.Time.Advance(KeyHealthReconciler.Interval);
        AskHourly();

        await _bench.AskKeysAsync();
        var woken = _bench.Woken.ToArray();
        await _bench.SettleAsync();

        Assert.Equal([Given.PolicyKey], woken);
        Assert.Equal(("True", "KeyEnabled"), KeyUsable());
        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]);
        Assert.Equal("True", Ready());
        Assert.Contains("KeyEnabled", _bench.Events.Reasons);
    }

    [Fact]
    public async Task A_dead_key_refuses_by_an_answer_of_the_last_minute_and_not_by_an_older_one()
    {
        _bench.KeyService.Keys[Key] = Unusable("KeyDisabled");
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        _bench.KeyService.Keys[Key] = new KeyHealth.Usable();
        _bench.Time.Advance(KeyChecks.DeadFor);

        await _bench.ReconcileWithKeysAsync();

        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]);
        Assert.Equal(2, _bench.KeyService.Calls.Count);
    }

    [Fact]
    public async Task A_key_service_that_cannot_confirm_that_the_key_is_dead_refuses_nothing()
    {
        _bench.KeyService.Keys[Key] = Unusable("KeyDisabled");
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        _bench.KeyService.Faults = (_, _) => Down;
        _bench.Time.Advance(KeyChecks.DeadFor);

        await _bench.ReconcileWithKeysAsync();

        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]);
        Assert.Equal(("False", "KeyDisabled"), KeyUsable()); // what is known stays
    }

    [Fact]
    public async Task A_key_that_may_not_be_asked_for_is_Unknown_and_is_written()
    {
        _bench.KeyService.Faults = (_, _) =>
            new Failure(FailureKind.Denied, "DescribeKey", "Forbidden.NoPermission")
            {
                HttpStatus = 403,
                IsVendorAnswer = true,
                Hint = "Grant kms:DescribeKey.",
            };

        await _bench.Start(Policy()).ReconcileWithKeysAsync();

        Assert.Equal(("Unknown", "DescribeKeyDenied"), KeyUsable());
        Assert.Contains("Grant kms:DescribeKey.", Condition("KeyUsable").Message, StringComparison.Ordinal);
        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]);
        Assert.Equal("True", Ready());
    }

    [Fact]
    public async Task A_key_service_that_is_down_is_reported_and_keeps_no_bucket_from_its_key()
    {
        _bench.KeyService.Faults = (_, _) => Down;

        await _bench.Start(Policy()).ReconcileWithKeysAsync();

        Assert.Equal(("Unknown", "KeyServiceFailed"), KeyUsable());
        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]);
        Assert.Equal("True", Ready());
    }

    [Fact]
    public async Task A_key_service_that_does_not_answer_delays_one_write_by_a_second_and_no_other()
    {
        var answer = new TaskCompletionSource();
        _bench.KeyService.Answers = answer.Task;
        _bench.Vendor["second"] = Aes;
        var reconcile = _bench.Start(Policy()).ReconcileAsync();
        var asking = _bench.AskKeysAsync();
        while (!reconcile.IsCompleted)
        {
            if (_bench.Time.UntilNextTimer == KeyHealths.Patience) // the write waits, and nothing else does
                _bench.Time.Advance(KeyHealths.Patience);
            await Task.Yield();
        }
        var second = Policy("0d1f-other", "second");
        second = second with { Metadata = second.Metadata with { Name = "second", Uid = "second-uid" } };
        _bench.Put(second);

        await _bench.ReconcileAsync(second.Metadata.Key); // the clock stands still
        answer.SetResult();
        await asking;

        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]);
        Assert.Equal(Kms("0d1f-other"), _bench.Vendor["second"]);
    }

    [Fact]
    public async Task A_key_to_be_deleted_is_reported_with_the_date_and_its_buckets()
    {
        _bench.Vendor[Bucket] = Kms(Key);
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        _bench.KeyService.Keys[Key] = InMemoryKeyService.Unusable(Reasons.KeyPendingDeletion, Deletion);
        AskHourly();
        await _bench.AskKeysAsync();

        await _bench.ReconcileAsync();

        var warned = Assert.Single(_bench.Events.All, e => e.Reason == "KeyPendingDeletion");
        Assert.True(warned.IsWarning);
        Assert.Contains("2026-12-24T08:30:00Z", warned.Note, StringComparison.Ordinal);
        Assert.Contains(Bucket, warned.Note, StringComparison.Ordinal);
        Assert.Equal("True", Ready());
    }

    private static Failure Down { get; } = new(FailureKind.Transient, "DescribeKey", "Timeout");

    private static KeyHealth.Unusable Unusable(string reason) =>
        InMemoryKeyService.Unusable(
            Reasons.Find(reason, httpStatus: null) ?? throw new InvalidOperationException(reason)
        );

    private static BucketEncryption Kms(string key) => new BucketEncryption.Kms(key, DataCipher.Aes256);

    private static BucketEncryptionPolicy Policy(string key = Key, string bucket = Bucket)
    {
        var policy = Given.Policy(bucket);
        return policy with
        {
            Spec = policy.Spec with
            {
                Encryption = new EncryptionSpec
                {
                    Algorithm = "KMS",
                    KmsKey = new KmsKeySpec { Id = key },
                },
            },
        };
    }

    /// <summary>The hour is over: the queue hands out every question again.</summary>
    private void AskHourly()
    {
        foreach (var name in _bench.KeyHealths.Names)
            _bench.AskedKeys.Writer.TryWrite(name);
    }

    private void Request()
    {
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put(
            now with
            {
                Metadata = now.Metadata with
                {
                    Annotations = [KeyValuePair.Create(RequestAnnotations.RequestedAt, $"request {++_requests}")],
                },
            }
        );
    }

    private Condition Condition(string type) =>
        _bench.Status.Conditions.Find(type) ?? throw new InvalidOperationException($"no {type}");

    private (string Status, string Reason) KeyUsable() =>
        (Condition("KeyUsable").Status, Condition("KeyUsable").Reason);

    private string Ready() => Condition("Ready").Status;
}
