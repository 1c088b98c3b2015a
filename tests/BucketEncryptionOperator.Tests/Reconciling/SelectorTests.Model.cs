using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <content>What the ownership model has found.</content>
public sealed partial class SelectorTests
{
    [Fact]
    public async Task A_list_that_is_denied_is_asked_for_once_per_interval()
    {
        Buckets("alpha");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Account.Faults = _ => InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403);
        _bench.Time.Advance(Resync);

        var next = Assert.IsType<ReconcileResult.After>(await _bench.ReconcileAsync());

        Assert.InRange(next.Delay, Resync / 10, Resync * 1.1);
    }

    [Fact]
    public async Task A_key_that_takes_anothers_place_during_a_pass_lists_for_itself_before_it_writes()
    {
        Buckets("alpha", "beta");
        _bench.Account.Hides = (bucket, key) => bucket == "alpha" && key.Secret == "hush-next";
        _bench.Vendor.Faults = (_, _) =>
        {
            _bench.Kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"), ("accessKeySecret", "hush-next"));
            _bench.Vendor.GoodSecret = "hush-next";
            return null;
        };

        await _bench.Start(Selector(["*"])).SettleAsync();

        Assert.Equal((None, Aes), (Has("alpha"), Has("beta")));
        Assert.Equal(["beta"], Rows());
        Assert.Equal(("True", "InSync"), Ready());
    }

    [Fact]
    public async Task What_a_selector_has_read_stays_its_own_while_its_spec_changes_before_a_status_has_it()
    {
        var younger = new NamespacedName(Given.Namespace, "younger");
        Buckets("alpha");
        _bench.Start(Aged(Selector(["*"]), Given.PolicyKey.Name, 1));
        _bench.Kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH ", StringComparison.Ordinal) ? KubernetesFake.Status(409, "Conflict") : null;
        await _bench.ReconcileAsync(); // it reads the bucket, and no status can say so
        _bench.Kubernetes.Faults = (_, _) => null;
        Change(s => s with { ExcludeNames = ["gamma"] });
        _bench.Put(Aged(Selector(["*"]).With(new EncryptionSpec { Algorithm = "KMS" }), younger.Name, 2));

        await _bench.SettleAsync(younger);

        Assert.Equal((0, None), (Writes(), Has("alpha")));
        Assert.Equal("OwnedByOthers", Assert.Single(_bench.Kubernetes.Read(younger).Status!.Buckets).Error?.Code);
    }

    [Fact]
    public async Task A_denial_that_no_status_has_yet_is_in_the_row_of_a_bucket_that_is_not_listed_any_more()
    {
        Buckets("alpha");
        await _bench.Start(Selector(["*"])).SettleAsync();
        _bench.Vendor.Denials = (_, _) => InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403);
        _bench.Kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH ", StringComparison.Ordinal) ? KubernetesFake.Status(409, "Conflict") : null;
        await _bench.ReconcileAsync();
        (_bench.Kubernetes.Faults, _bench.Vendor.Denials) = ((_, _) => null, (_, _) => null);
        _bench.Account.Hides = (_, _) => true;
        _bench.Time.Advance(Resync);

        await _bench.ReconcileAsync();

        var row = Assert.Single(_bench.Status.Buckets);
        Assert.Equal((true, false), (row.ClaimDeniedTime is not null, row.ClaimedTime is not null));
    }

    private static BucketEncryptionPolicy Aged(BucketEncryptionPolicy policy, string name, int minutes) =>
        policy with
        {
            Metadata = policy.Metadata with
            {
                Name = name,
                Uid = $"uid-{name}",
                CreationTimestamp = DateTimeOffset.UnixEpoch.AddMinutes(minutes),
            },
        };
}
