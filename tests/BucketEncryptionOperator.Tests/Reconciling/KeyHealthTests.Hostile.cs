using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Questions that nobody needs, and conditions that come and go.</summary>
public sealed class HostileKeyHealthTests : IAsyncLifetime
{
    private const string First = "first";
    private const string Second = "second";

    private readonly Workbench _bench = new(bucketConcurrency: 4);

    public HostileKeyHealthTests()
    {
        _bench.KeyService.IsThere = true;
        foreach (var bucket in (string[])[First, Second])
        {
            _bench.Vendor[bucket] = new BucketEncryption.Kms($"0d1f-{bucket}", DataCipher.Aes256);
            _bench.KeyService.Keys[$"0d1f-{bucket}"] = InMemoryKeyService.Unusable(Reasons.KeyDisabled);
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task A_request_whose_annotation_was_removed_asks_no_more()
    {
        await StartAsync(AnyKey(First));
        Annotate(KeyValuePair.Create(RequestAnnotations.RequestedAt, "now"));
        await ReconcileTwiceAsync();
        Annotate();
        await ReconcileTwiceAsync();
        var before = _bench.KeyService.Calls.Count;

        for (var i = 0; i < 3; i++)
        {
            _bench.Time.Advance(TimeSpan.FromMinutes(10));
            await _bench.ReconcileWithKeysAsync();
        }

        Assert.Equal(before, _bench.KeyService.Calls.Count);
    }

    [Fact]
    public async Task Another_spec_keeps_what_is_known_of_the_buckets_keys()
    {
        await StartAsync(AnyKey(First, Second));
        var (condition, events) = (KeyUsable(), KeyEvents());
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put((now with { Spec = now.Spec with { AllowDowngrade = true } }).NextGeneration());

        await _bench.ReconcileAsync();

        Assert.Equal(condition?.Message, KeyUsable()?.Message);
        Assert.Equal(2, _bench.KeyService.Calls.Count);
        Assert.Equal(events, KeyEvents());
    }

    [Fact]
    public async Task A_policy_that_is_being_deleted_asks_no_more_about_the_key_that_it_named()
    {
        _bench.Vendor[First] = new BucketEncryption.Aes256();
        _bench.KeyService.Keys["0d1f-first"] = new KeyHealth.Usable();
        var policy = AnyKey(First);
        await StartAsync(
            policy with
            {
                Spec = policy.Spec with
                {
                    AllowDowngrade = true,
                    DeletionPolicy = "Restore",
                    Encryption = policy.Spec.Encryption with { KmsKey = new KmsKeySpec { Id = "0d1f-first" } },
                },
            }
        );
        var before = _bench.KeyService.Calls.Count;
        _bench.Vendor.Faults = (_, call) =>
            call.Operation == "Put"
                ? new VendorFault(new Failure(FailureKind.Transient, "PutBucketEncryption", "Timeout"))
                : null;
        _bench.Delete(Given.PolicyKey);

        for (var i = 0; i < 3; i++)
        {
            await _bench.ReconcileWithKeysAsync();
            _bench.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.NotNull(_bench.Kubernetes.Find(Given.PolicyKey));
        Assert.Equal(before, _bench.KeyService.Calls.Count);
    }

    [Fact]
    public async Task A_replaced_access_key_is_reported_when_all_its_answers_are_there()
    {
        await StartAsync(AnyKey(First, Second));
        var (condition, events) = (KeyUsable(), KeyEvents());
        _bench.Kubernetes.PutSecret(
            Given.SecretKey,
            ("accessKeyId", "LTAI2"),
            ("accessKeySecret", Workbench.GoodSecret)
        );
        _bench.Time.Advance(TimeSpan.FromMinutes(10));
        await _bench.ReconcileAsync();
        var names = _bench.KeyHealths.Names;

        _bench.KeyHealths.Record(names[0], InMemoryKeyService.Unusable(Reasons.KeyDisabled));
        await _bench.ReconcileAsync();
        var between = KeyUsable();
        await _bench.AskKeysAsync();
        await _bench.ReconcileAsync();

        Assert.Equal(2, names.Length);
        Assert.Equal(condition?.Message, between?.Message);
        Assert.Equal(condition?.Message, KeyUsable()?.Message);
        Assert.Equal(events, KeyEvents());
    }

    [Fact]
    public async Task A_selector_that_selects_nothing_any_more_says_nothing_of_keys()
    {
        var policy = AnyKey();
        policy = policy with
        {
            Spec = policy.Spec with
            {
                Buckets = [],
                BucketSelector = new BucketSelectorSpec { MatchNames = ["*"] },
                Mode = "Enforce",
            },
        };
        await _bench.Start(policy).SettleAsync();
        await _bench.AskKeysAsync();
        await _bench.SettleAsync();
        var before = KeyUsable();
        _bench.Vendor[First] = null;
        _bench.Vendor[Second] = null;
        for (var i = 0; i < 4 && _bench.Status.Buckets.Length > 0; i++)
        {
            _bench.Time.Advance(TimeSpan.FromMinutes(11));
            await _bench.SettleAsync();
        }

        Assert.NotNull(before);
        Assert.Empty(_bench.Status.Buckets);
        Assert.Null(KeyUsable());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_service_that_says_come_back_in_years_is_asked_within_the_hour(bool wasAnswered)
    {
        if (wasAnswered)
            await StartAsync(AnyKey(First));
        else
            _bench.Start(AnyKey(First));
        _bench.KeyService.Faults = (_, _) =>
            new Failure(FailureKind.Transient, "DescribeKey", "SlowDown")
            {
                RetryAfter = TimeSpan.FromSeconds(int.MaxValue),
            };
        await _bench.ReconcileAsync();
        foreach (var name in _bench.KeyHealths.Names)
            _bench.AskedKeys.Writer.TryWrite(name);

        var next = Assert.IsType<ReconcileResult.Retry>(Assert.Single(await _bench.AskKeysAsync()));

        Assert.InRange(next.AtLeast, KeyHealthReconciler.RetryAfter, KeyHealthReconciler.Interval);
    }

    private async Task StartAsync(BucketEncryptionPolicy policy)
    {
        await _bench.Start(policy).ReconcileWithKeysAsync();
        await ReconcileTwiceAsync();
    }

    private async Task ReconcileTwiceAsync()
    {
        await _bench.ReconcileWithKeysAsync();
        await _bench.ReconcileWithKeysAsync();
    }

    private static BucketEncryptionPolicy AnyKey(params string[] buckets)
    {
        var policy = Given.Policy(buckets);
        return policy with { Spec = policy.Spec with { Encryption = new EncryptionSpec { Algorithm = "KMS" } } };
    }

    private void Annotate(params KeyValuePair<string, string>[] annotations)
    {
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put(now with { Metadata = now.Metadata with { Annotations = [.. annotations] } });
    }

    private Condition? KeyUsable() => _bench.Status.Conditions.Find("KeyUsable");

    private int KeyEvents() => _bench.Events.All.Count(e => e.Reason == "KeyDisabled");
}
