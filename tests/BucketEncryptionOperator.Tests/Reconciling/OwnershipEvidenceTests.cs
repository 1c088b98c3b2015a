using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// Ownership rests on what the operator has seen itself: nothing that a tenant writes, and no answer without the
/// vendor's code, moves a bucket.
/// </summary>
public sealed partial class OwnershipEvidenceTests(ITestOutputHelper output) : SharedBucketBench
{
    [Theory]
    [InlineData("the owner is suspended", "suspended", "OwnerSuspended")]
    [InlineData("the owner's key may read and not write", "denied", "OwnerFailed")]
    [InlineData("the owner may not weaken the bucket", "refused", "OwnerRefused")]
    public async Task Policies_that_agree_with_an_owner_that_does_not_write_say_so_and_do_not_wake_each_other(
        string sentence,
        string why,
        string reason
    )
    {
        Vendor[Bucket] = Key1;
        Bench.Start(Policy("a", WantKey1, 1));
        Bench.Put(Policy("b", WantKey1, 2));
        Bench.Put(Policy("c", WantKey1, 3));
        foreach (var name in (string[])["a", "b", "c"])
            await Bench.SettleAsync(Key(name));
        await ObstructAsync(why);
        Vendor[Bucket] = why == "refused" ? new BucketEncryption.Other("AES512") : None;
        Bench.Time.Advance(TimeSpan.FromSeconds(5));
        Bench.Woken.Clear();
        var (gets, puts) = (Vendor.Count("Get"), Vendor.Count("Put"));

        // A work queue without time: what is woken is taken at once, each key once.
        var queue = new Queue<NamespacedName>([Key("b"), Key("c")]);
        var reconciles = 0;
        while (queue.TryDequeue(out var key) && reconciles < 600)
        {
            await Bench.ReconcileAsync(key);
            reconciles++;
            while (Bench.Woken.TryDequeue(out var woken))
            {
                if (!queue.Contains(woken))
                    queue.Enqueue(woken);
            }
        }
        await Bench.ReconcileAsync(Key("b"));

        (gets, puts) = (Vendor.Count("Get") - gets, Vendor.Count("Put") - puts);
        output.WriteLine($"{sentence}: {reconciles} reconciles, {gets} GETs, {puts} PUTs");
        Assert.InRange(reconciles, 2, 4);
        Assert.Equal(
            why == "refused" ? "DowngradeRefused" : reason,
            why == "refused" ? Row("a").Error?.Code : Row("b").Error?.Code
        );
        Assert.Equal("False", Ready("b").Status);
    }

    private async Task ObstructAsync(string why)
    {
        if (why == "denied")
        {
            Vendor.Faults = DenialOf("Put");
            return;
        }
        if (why != "suspended")
            return;
        var a = Bench.Kubernetes.Read(Key("a"));
        Bench.Put(Edited(a, s => s with { Suspend = true }));
        await Bench.SettleAsync(Key("a"));
    }

    /// <summary>Names such as "logs" are popular: a policy whose store is not there names nobody's bucket.</summary>
    [Fact]
    public async Task A_policy_whose_store_is_not_there_wakes_nobody_and_is_woken_by_nobody()
    {
        Vendor[Bucket] = None;
        Bench.Start(Policy("owner", WantKey1, 1));
        await Bench.SettleAsync(Key("owner"));
        var woken = new List<NamespacedName>();
        Bench.Changed = (_, others) => woken.AddRange(others);
        var stranger = In("team-c", Policy("stranger", WantAes, 2));
        Bench.Put(stranger);
        await Bench.ReconcileAsync(stranger.Metadata.Key);
        Bench.Woken.Clear();
        woken.Clear();

        Bench.Put(Bench.Kubernetes.Read(stranger.Metadata.Key).NextGeneration());
        await Bench.ReconcileAsync(stranger.Metadata.Key);
        Bench.Put(Bench.Kubernetes.Read(Key("owner")).NextGeneration());
        Vendor[Bucket] = None;
        await Bench.SettleAsync(Key("owner"));
        Bench.Delete(Key("owner"));

        Assert.Empty(woken);
        Assert.Empty(Bench.Woken);
        Assert.Equal("StoreNotFound", Ready("stranger", "team-c").Reason);
    }

    [Fact]
    public async Task Beside_an_owner_whose_writes_are_denied_for_ten_minutes_a_policy_that_declares_the_same_writes()
    {
        Team(OtherTeam);
        Vendor[Bucket] = None;
        Bench.Start(Policy("owner", WantKey1, 1));
        Bench.Put(In(OtherTeam, Policy("same", WantKey1, 2)));
        Bench.Put(In(OtherTeam, Policy("differs", new EncryptionSpec { Algorithm = "SM4" }, 3)));
        var isDenied = true;
        Hooked.Before = (operation, _, key) =>
            isDenied && operation == "Put" && key.Id == "LTAI"
                ? throw new VendorException(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, "Put"))
                : Task.CompletedTask;

        await LookAsync(); // the first denial
        Bench.Time.Advance(TimeSpan.FromMinutes(5));
        await LookAsync(); // the second
        Bench.Time.Advance(TimeSpan.FromMinutes(4));
        await LookAsync(); // within ten minutes of the first: not the third
        var tooEarly = Vendor[Bucket];
        Bench.Woken.Clear();
        Bench.Time.Advance(TimeSpan.FromMinutes(2));
        await Bench.ReconcileAsync(Key("owner"));
        var woken = Bench.Woken.ToList();
        await LookAsync();
        var then = Vendor[Bucket];
        isDenied = false;
        Vendor[Bucket] = None;
        Bench.Time.Advance(TimeSpan.FromMinutes(1));
        await Bench.SettleAsync(Key("owner"));

        Assert.Equal(None, tooEarly);
        Assert.Equal([new NamespacedName(OtherTeam, "same")], woken);
        Assert.Equal(Key1, then);
        Assert.Equal("BucketConflict", Ready("differs", OtherTeam).Reason);
        Assert.Null(Row("owner").Denied); // the owner's write was accepted: it writes again, and nobody else
        Assert.Equal(Key1, Vendor[Bucket]);
    }

    private async Task LookAsync()
    {
        await Bench.ReconcileAsync(Key("owner"));
        await Bench.ReconcileAsync(new NamespacedName(OtherTeam, "same"));
        await Bench.ReconcileAsync(new NamespacedName(OtherTeam, "differs"));
    }

    [Theory]
    [InlineData("the vendor denies the key's reads", nameof(FailureKind.Denied), "AccessDenied", 403)]
    [InlineData("the vendor rejects the key", nameof(FailureKind.Denied), "InvalidAccessKeyId", 403)]
    public async Task A_denial_moves_a_bucket_to_no_policy_that_declares_something_else(
        string sentence,
        string kind,
        string code,
        int status
    )
    {
        Team(OtherTeam);
        Vendor[Bucket] = None;
        Bench.Start(Policy("older", WantKey1, 1));
        Bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));
        await Bench.SettleAsync(Key("older"));
        Hooked.Before = FailureForTeamA(Enum.Parse<FailureKind>(kind), code, status);

        await Bench.ReconcileAsync(Key("older"));
        await Bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.True(Key1 == Vendor[Bucket], sentence);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
        Assert.NotNull(Row("older").ClaimDeniedTime);
    }

    [Fact]
    public async Task A_denial_lets_a_policy_that_declares_the_same_own_the_bucket()
    {
        Team(OtherTeam);
        Vendor[Bucket] = None;
        Bench.Start(Policy("older", WantKey1, 1));
        Bench.Put(In(OtherTeam, Policy("same", WantKey1, 2)));
        await Bench.SettleAsync(Key("older"));
        Hooked.Before = FailureForTeamA(FailureKind.Denied, "AccessDenied", 403);
        await Bench.ReconcileAsync(Key("older"));
        Vendor[Bucket] = None;
        Bench.Time.Advance(TimeSpan.FromMinutes(1));

        await Bench.SettleAsync(new NamespacedName(OtherTeam, "same"));

        Assert.Equal(Key1, Vendor[Bucket]);
    }

    [Theory]
    [InlineData("a gateway's 403 page", nameof(FailureKind.Transient), "HTTP_403", 403)]
    [InlineData("a gateway's 404 page", nameof(FailureKind.Transient), "HTTP_404", 404)]
    [InlineData("whatever kind a codeless answer gets", nameof(FailureKind.Refused), "HTTP_404", 404)]
    [InlineData("a codeless denial", nameof(FailureKind.Denied), "HTTP_403", 403)]
    [InlineData("a redirect", nameof(FailureKind.Refused), "HTTP_302", 302)]
    public async Task An_answer_without_the_vendors_code_moves_no_claim(
        string sentence,
        string kind,
        string code,
        int status
    )
    {
        Team(OtherTeam);
        Vendor[Bucket] = None;
        Bench.Start(Policy("older", WantKey1, 1));
        Bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));
        await Bench.SettleAsync(Key("older"));
        await Bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));
        Hooked.Before = FailureForTeamA(Enum.Parse<FailureKind>(kind), code, status);

        await Bench.ReconcileAsync(Key("older"));
        await Bench.ReconcileAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.True(Key1 == Vendor[Bucket], sentence);
        Assert.NotNull(Row("older").ClaimedTime);
        Assert.Equal("BucketConflict", Ready("younger", OtherTeam).Reason);
    }

    [Theory]
    [InlineData(401, "Unauthorized")]
    [InlineData(403, "Forbidden")]
    [InlineData(404, "NotFound")]
    public async Task What_the_API_server_says_of_a_Secret_moves_no_claim(int status, string reason)
    {
        Team(OtherTeam);
        Vendor[Bucket] = None;
        Bench.Start(Policy("older", WantKey1, 1));
        Bench.Put(In(OtherTeam, Weaker(Policy("younger", WantAes, 2))));
        await Bench.SettleAsync(Key("older"));
        await Bench.SettleAsync(new NamespacedName(OtherTeam, "younger"));
        Bench.Time.Advance(TimeSpan.FromMinutes(6)); // the Secret is read again
        Bench.Kubernetes.Faults = FaultOn("GET", Given.Namespace, KubernetesFake.Status(status, reason));

        await Bench.ReconcileAsync(Key("older"));
        await Bench.ReconcileAsync(new NamespacedName(OtherTeam, "younger"));

        Assert.Equal(Key1, Vendor[Bucket]);
        Assert.NotNull(Row("older").ClaimedTime);
    }

    [Fact]
    public async Task An_hour_of_answers_not_the_stores_calls_for_a_person_and_the_store_is_asked_every_five_minutes()
    {
        Vendor[Bucket] = None;
        Bench.Start(Policy("p", WantKey1, 1));
        await Bench.SettleAsync(Key("p"));
        var page = InMemoryVendor.Fail(FailureKind.Transient, "HTTP_404", 404) with
        {
            IsForeign = true,
            Hint = "something in front of the store answered",
        };
        Hooked.Before = (_, _, _) => throw new VendorException(page);
        var from = Bench.Time.GetUtcNow();
        var asked = new List<TimeSpan>();
        string? reasonBefore = null;
        while (Bench.Time.GetUtcNow() - from < TimeSpan.FromMinutes(90))
        {
            asked.Add(Bench.Time.GetUtcNow() - from);
            if (Bench.Time.GetUtcNow() - from < TimeSpan.FromMinutes(59))
                reasonBefore = Ready("p").Reason;
            Bench.Time.Advance(
                await Bench.ReconcileAsync(Key("p")) switch
                {
                    ReconcileResult.After after => after.Delay,
                    // As long as the back-off may be.
                    ReconcileResult.Retry retry => retry.AtLeast + TimeSpan.FromMinutes(4),
                    _ => TimeSpan.FromHours(1),
                }
            );
        }
        var stalled = Bench.Kubernetes.Read(Key("p")).Status!.Conditions.Find("Stalled");
        var ready = Ready("p");
        var row = Row("p");
        Hooked.Before = (_, _, _) => Task.CompletedTask;
        await Bench.SettleAsync(Key("p"));

        Assert.Equal("HTTP_404", reasonBefore);
        Assert.Equal(("False", "NotTheStore"), ready);
        Assert.Equal("NotTheStore", stalled?.Reason);
        Assert.Equal((BucketStatus.Unknown, "HTTP_404"), (row.State, row.Error?.Code));
        Assert.NotNull(row.ClaimedTime);
        Assert.All(
            Gaps([.. asked.Where(a => a > TimeSpan.FromMinutes(66))]),
            gap => Assert.Equal(TimeSpan.FromMinutes(5), gap)
        );
        Assert.Equal(("True", "InSync"), Ready("p"));
    }

    /// <summary>A store that names its own key where a write names none.</summary>
    [Fact]
    public async Task A_key_that_the_store_has_filled_in_is_its_own_key()
    {
        Vendor[Bucket] = None;
        var storesKey = new EncryptionSpec
        {
            Algorithm = "KMS",
            KmsKey = new KmsKeySpec { VendorDefault = true },
        };
        Bench.Start(Policy("p", storesKey, 1));
        Hooked.Before = (operation, _, _) =>
        {
            if (operation == "Get" && Vendor[Bucket] is BucketEncryption.Kms { KeyId: null })
                Vendor[Bucket] = new BucketEncryption.Kms("stores-own-key", DataCipher.Aes256);
            return Task.CompletedTask;
        };

        await Bench.SettleAsync(Key("p"));
        Bench.Time.Advance(TimeSpan.FromMinutes(10));
        await Bench.SettleAsync(Key("p"));

        Assert.Equal(("True", "InSync"), Ready("p"));
        Assert.Equal("stores-own-key", Row("p").VendorKeyId);
        Assert.Equal(1, Vendor.Count("Put"));
    }

    private static BucketStore StoreInShanghai()
    {
        var store = Given.Store();
        return store with
        {
            Metadata = store.Metadata with { ResourceVersion = "2", Generation = 2 },
            Spec = store.Spec with { Region = "cn-shanghai" },
        };
    }

    private static IEnumerable<TimeSpan> Gaps(List<TimeSpan> times) => times.Zip(times.Skip(1), (a, b) => b - a);
}
