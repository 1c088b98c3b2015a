using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Which keys are asked for, and when.</summary>
public sealed partial class KeyHealthTests
{
    [Fact]
    public async Task Where_any_key_will_do_the_keys_of_the_buckets_are_asked_for()
    {
        _bench.Vendor[Bucket] = Kms(Key);
        _bench.Vendor["second"] = Kms("0d1f-other");
        _bench.KeyService.Keys["0d1f-other"] = Unusable("KeyDisabled");
        var policy = Given.Policy(Bucket, "second");
        policy = policy with { Spec = policy.Spec with { Encryption = new EncryptionSpec { Algorithm = "KMS" } } };

        await _bench.Start(policy).ReconcileWithKeysAsync();
        await _bench.ReconcileAsync();

        Assert.Equal(("False", "KeyDisabled"), KeyUsable());
        Assert.Contains("0d1f-other of bucket second", Condition("KeyUsable").Message, StringComparison.Ordinal);
        Assert.Equal(2, _bench.KeyService.Calls.Count);
        Assert.Equal("True", Ready());
    }

    [Theory]
    [InlineData("the vendor's key is declared", true)]
    [InlineData("an alias that the vendor manages is declared", false)]
    public async Task Keys_of_the_vendor_are_never_asked_for(string what, bool vendorDefault)
    {
        _ = what;
        var policy = Policy("alias/aws/s3");
        if (vendorDefault)
            policy = policy with
            {
                Spec = policy.Spec with
                {
                    Encryption = new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { VendorDefault = true },
                    },
                },
            };

        await _bench.Start(policy).ReconcileWithKeysAsync();
        await _bench.ReconcileAsync();

        Assert.Empty(_bench.KeyService.Calls);
        Assert.Null(_bench.Status.Conditions.Find("KeyUsable"));
    }

    [Fact]
    public async Task Another_key_in_the_policy_is_asked_for_at_once_and_the_old_one_no_more()
    {
        _bench.KeyService.Keys["0d1f-other"] = Unusable("KeyDisabled");
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put((now with { Spec = Policy("0d1f-other").Spec }).NextGeneration());

        await _bench.ReconcileWithKeysAsync();

        Assert.Equal([Key, "0d1f-other"], _bench.KeyService.Calls.Select(c => c.Key));
        Assert.Equal(("False", "KeyDisabled"), KeyUsable());
        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]); // not moved to a dead key
        Assert.Single(_bench.KeyHealths.Names);
    }

    [Fact]
    public async Task A_requested_reconcile_asks_again()
    {
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        _bench.Time.Advance(TimeSpan.FromSeconds(10));
        await _bench.ReconcileWithKeysAsync();
        var before = _bench.KeyService.Calls.Count;
        Request();

        await _bench.ReconcileWithKeysAsync();

        Assert.Equal((1, 2), (before, _bench.KeyService.Calls.Count));
    }

    [Fact]
    public async Task A_vendor_s_refusal_asks_again()
    {
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        _bench.Vendor[Bucket] = Aes;
        _bench.Vendor.Faults = (_, call) =>
            call.Operation == "Put"
                ? new VendorFault(
                    new Failure(FailureKind.Refused, "PutBucketEncryption", "KMS.DisabledException")
                    {
                        HttpStatus = 400,
                        IsVendorAnswer = true,
                    }
                )
                : null;
        _bench.KeyService.Keys[Key] = Unusable("KeyDisabled");
        _bench.Time.Advance(TimeSpan.FromMinutes(10));

        await _bench.ReconcileWithKeysAsync();
        await _bench.ReconcileAsync();

        Assert.Equal(2, _bench.KeyService.Calls.Count);
        Assert.Equal(("False", "KeyDisabled"), KeyUsable());
    }

    [Fact]
    public async Task A_suspended_policy_asks_nothing_and_says_so()
    {
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put((now with { Spec = now.Spec with { Suspend = true } }).NextGeneration());

        await _bench.ReconcileWithKeysAsync();

        Assert.Equal(("Unknown", "Suspended"), KeyUsable());
        Assert.Empty(_bench.KeyHealths.Names);
        Assert.Single(_bench.KeyService.Calls);
    }

    [Fact]
    public async Task A_settled_estate_of_a_thousand_buckets_under_three_keys_asks_three_times_an_hour()
    {
        string[] keys = ["0d1f-0", "0d1f-1", "0d1f-2"];
        _bench.Start(Given.Policy());
        _bench.Delete(Given.PolicyKey);
        var policies = new List<NamespacedName>();
        foreach (var key in keys)
            _bench.KeyService.Keys[key] = new KeyHealth.Usable();
        for (var i = 0; i < 6; i++)
        {
            var buckets = Enumerable.Range(0, 167).Select(b => $"bucket-{i}-{b}").ToArray();
            foreach (var bucket in buckets)
                _bench.Vendor[bucket] = Kms(keys[i % 3]);
            var policy = Given.Policy(buckets);
            policy = policy with
            {
                Metadata = policy.Metadata with { Name = $"policy-{i}", Uid = $"uid-{i}" },
                Spec = Policy(keys[i % 3]).Spec with { Buckets = policy.Spec.Buckets },
            };
            _bench.Put(policy);
            policies.Add(policy.Metadata.Key);
        }
        var next = new List<ReconcileResult>();
        for (var minutes = 0; minutes < 60; minutes += 10)
        {
            foreach (var policy in policies)
            {
                await _bench.ReconcileAsync(policy);
                next.AddRange(await _bench.AskKeysAsync());
            }
            _bench.Time.Advance(TimeSpan.FromMinutes(10));
        }
        _bench.Woken.Clear();
        var (first, patches) = (_bench.KeyService.Calls.Count, _bench.Patches);
        AskHourly();
        await _bench.AskKeysAsync();
        foreach (var policy in policies)
            await _bench.ReconcileAsync(policy);

        Assert.Equal((3, 6), (first, _bench.KeyService.Calls.Count));
        Assert.Equal(3, next.Count);
        Assert.All(
            next,
            n =>
                Assert.InRange(
                    Assert.IsType<ReconcileResult.After>(n).Delay,
                    KeyHealthReconciler.Interval,
                    KeyHealthReconciler.Interval * 1.1
                )
        );
        Assert.Empty(_bench.Woken);
        Assert.Equal(patches, _bench.Patches); // an answer that is the same writes nothing
        Assert.All(
            policies,
            p => Assert.Equal("True", _bench.Kubernetes.Read(p).Status!.Conditions.Find("KeyUsable")?.Status)
        );
    }

    [Fact]
    public async Task What_one_namespace_may_ask_another_one_does_not_learn()
    {
        _bench.KeyService.Keys[Key] = Unusable("KeyDisabled");
        _bench.KeyService.Faults = (_, key) =>
            key.Id == "LTAI"
                ? null
                : new Failure(FailureKind.Denied, "DescribeKey", "Forbidden.NoPermission") { IsVendorAnswer = true };
        var elsewhere = Policy();
        elsewhere = elsewhere with { Metadata = elsewhere.Metadata with { Namespace = "other", Uid = "other-uid" } };
        _bench.Kubernetes.PutSecret(
            Given.SecretKey with
            {
                Namespace = "other",
            },
            ("accessKeyId", "LTAI2"),
            ("accessKeySecret", Workbench.GoodSecret)
        );
        var store = Given.Store();
        _bench.Put(store with { Metadata = store.Metadata with { Namespace = "other", Uid = "other-store" } });
        await _bench.Start(Policy()).ReconcileWithKeysAsync();
        _bench.Put(elsewhere);
        var asking = _bench.ReconcileAsync(elsewhere.Metadata.Key);
        while (!asking.IsCompleted)
        {
            await _bench.AskKeysAsync();
            await Task.Yield();
        }

        await _bench.ReconcileAsync(elsewhere.Metadata.Key);

        var condition = _bench.Kubernetes.Read(elsewhere.Metadata.Key).Status!.Conditions.Find("KeyUsable")!;
        Assert.Equal(("Unknown", "DescribeKeyDenied"), (condition.Status, condition.Reason));
        Assert.Equal(("False", "KeyDisabled"), KeyUsable());
    }

    [Fact]
    public async Task A_release_does_not_restore_a_key_that_is_dead()
    {
        const string Old = "0d1f-old";
        _bench.KeyService.Keys[Old] = new KeyHealth.Usable();
        _bench.Vendor[Bucket] = Kms(Old);
        var policy = Policy();
        policy = policy with { Spec = policy.Spec with { DeletionPolicy = "Restore" } };
        await _bench.Start(policy).ReconcileWithKeysAsync();
        _bench.KeyService.Keys[Old] = Unusable("KeyPendingDeletion");
        _bench.Delete(Given.PolicyKey);

        for (var i = 0; i < 5 && _bench.Kubernetes.Find(Given.PolicyKey) is not null; i++)
        {
            await _bench.ReconcileWithKeysAsync();
            _bench.Time.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.Equal(Kms(Key), _bench.Vendor[Bucket]);
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
        Assert.Contains("KeyUnusable", _bench.Events.Reasons);
    }
}
