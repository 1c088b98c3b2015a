using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed partial class OwnershipEvidenceTests
{
    [Theory]
    [InlineData("an answer that says nothing of the claim", nameof(FailureKind.Refused), 400)]
    [InlineData("an answer that is tolerated for a while", nameof(FailureKind.Transient), 500)]
    public async Task A_claim_that_no_status_says_yet_is_not_lost_by_the_next_look(
        string sentence,
        string kind,
        int status
    )
    {
        Team(OtherTeam);
        Vendor[Bucket] = None;
        Bench.Start(Policy("older", WantKey1, 1));
        Bench.Put(Weaker(In(OtherTeam, Policy("younger", WantAes, 2))));
        Bench.Kubernetes.Faults = FaultOn("PATCH", "", KubernetesFake.Status(500, "InternalError"));
        await Bench.ReconcileAsync(Key("older")); // it reads the bucket, and can put nothing on record
        Bench.Kubernetes.Faults = (_, _) => null;
        Vendor.Faults = (_, call) =>
            new VendorFault(InMemoryVendor.Fail(Enum.Parse<FailureKind>(kind), "Trouble", status, call.Operation));
        await Bench.ReconcileAsync(Key("older"));
        Vendor.Faults = (_, _) => null;

        await Bench.ReconcileAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.True(Vendor.Count("Put") == 0, sentence);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
        Assert.NotNull(Row("older").ClaimedTime);
    }

    /// <summary>
    /// A look claims the bucket, no status records the claim, and the store goes. The vendor has denied nothing.
    /// </summary>
    [Fact]
    public async Task A_claim_that_no_status_says_yet_outlives_its_store()
    {
        Team(OtherTeam);
        Vendor[Bucket] = Key1;
        Bench.Start(Policy("older", WantKey1, 1));
        Bench.Kubernetes.Faults = FaultOn("", "/older/status", KubernetesFake.Status(500, "slow"));
        await Bench.ReconcileAsync([Key("older")], 1);
        Bench.RemoveStore(Given.StoreKey);
        Bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));

        await Bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.Equal(Key1, Vendor[Bucket]);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
    }

    [Fact]
    public async Task A_bucket_that_is_gone_is_nobodys()
    {
        Team(OtherTeam);
        Vendor[Bucket] = None;
        Bench.Start(Policy("older", WantKey1, 1));
        await Bench.SettleAsync(Key("older"));
        Vendor[Bucket] = null;

        await Bench.ReconcileAsync(Key("older"));

        Assert.Null(Row("older").ClaimedTime);
        Assert.Null(Row("older").ClaimDeniedTime);
    }

    /// <summary>A store is pointed at another installation, which has a bucket of the same name.</summary>
    [Fact]
    public async Task What_is_remembered_of_a_bucket_is_not_believed_of_one_elsewhere()
    {
        Vendor[Bucket] = None;
        var policy = Policy("p", WantKey1, 1);
        Bench.Start(policy with { Spec = policy.Spec with { DeletionPolicy = "Restore", AllowDowngrade = true } });
        await Bench.SettleAsync(Key("p"));
        var theirs = new BucketEncryption.Kms("customer-key", DataCipher.Aes256);
        Elsewhere[Bucket] = theirs;
        Bench.Put(StoreInShanghai());

        await Bench.SettleAsync(Key("p"));
        var row = Row("p");
        Bench.Delete(Key("p"));
        await Bench.SettleAsync(Key("p"));

        Assert.Equal(("installation-b", "customer-key"), (row.Partition, row.Original?.Encryption?.KmsKeyId));
        Assert.Equal(theirs, Elsewhere[Bucket]);
        Assert.Equal(Key1, Vendor[Bucket]);
        Assert.Contains("BucketElsewhere", Bench.Events.Reasons);
    }

    [Fact]
    public async Task While_its_store_is_not_there_a_policy_claims_where_it_looked_last()
    {
        Team(OtherTeam);
        (Vendor[Bucket], Elsewhere[Bucket]) = (Key1, Key1);
        Bench.Start(Policy("older", WantKey1, 1));
        Bench.Kubernetes.Faults = FaultOn("", "/older/status", KubernetesFake.Status(500, "slow"));
        await Bench.ReconcileAsync([Key("older")], 1); // a look that no status says
        Bench.Kubernetes.Faults = (_, _) => null;
        var store = StoreInShanghai();
        Bench.Put(store);
        await Bench.SettleAsync(Key("older"));
        Bench.RemoveStore(Given.StoreKey);
        Bench.Put(store with { Metadata = store.Metadata with { Namespace = OtherTeam, Uid = OtherTeam } });
        Bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));

        await Bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.Equal(Key1, Elsewhere[Bucket]);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
    }
}
