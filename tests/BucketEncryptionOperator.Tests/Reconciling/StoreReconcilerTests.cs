using System.Collections.Concurrent;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;
using Microsoft.Extensions.Logging.Abstractions;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// What a store's status tells, and what it costs. Each look ends in the rules that a status must keep.
/// </summary>
public sealed class StoreReconcilerTests : IAsyncLifetime
{
    private const string Realm = "AlibabaOSS/cn-hangzhou";

    private static readonly Failure Rejection = new(FailureKind.Denied, "GetBucketEncryption", "InvalidAccessKeyId")
    {
        HttpStatus = 403,
        ConcernsCredentials = true,
        IsVendorAnswer = true,
        Message = "hush",
        Hint = "Mend the Secret.",
    };

    private readonly ManualTimeProvider _time = new();
    private readonly KubernetesFake _kubernetes;
    private readonly AccessKeyCircuitBreakers _breakers;
    private readonly SecretKeys _keys;
    private readonly TemporaryKeys _temporary;
    private readonly CredentialStateSource _news;
    private readonly ObjectCache<BucketStore> _mirror = new();
    private readonly StoreReconciler<BucketStore> _reconciler;
    private string? _remark;
    private int _attempt;

    public StoreReconcilerTests()
    {
        _kubernetes = new KubernetesFake(_time);
        _breakers = new AccessKeyCircuitBreakers(_time);
        _news = new CredentialStateSource(_breakers);
        _keys = new SecretKeys(
            (name, token) => SecretKeys.FetchAsync(_kubernetes.Client, name, token),
            _breakers,
            _time
        );
        _temporary = new TemporaryKeys(
            (_, _, _) => throw new InvalidOperationException("the keys are in a Secret"),
            _breakers,
            _time,
            NullLogger<TemporaryKeys>.Instance
        );
        var stores = new Stores(
            _mirror,
            shared: null,
            new StoreReader(
                new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns, VendorCatalog.Endpoints),
                Partitions.None,
                new KeySourceReader(AmbientRules.None)
            )
        );
        _reconciler = new StoreReconciler<BucketStore>(
            new StoreKind<BucketStore>(ApiResources.Stores, _mirror, stores.Read, _ => _remark),
            new StoreKeys(_keys, _temporary),
            _breakers,
            _news,
            _kubernetes.Client,
            _time,
            new Random(1),
            new RecordingLogger<StoreReconciler<BucketStore>>(new ConcurrentQueue<string>())
        );
    }

    private StoreStatus Status => _kubernetes.Read(ApiResources.Stores, Given.StoreKey).Status!;

    private Condition Ready => Status.Conditions.Find("Ready")!;

    private int Patches => _kubernetes.Requests.Count(r => r.StartsWith("PATCH", StringComparison.Ordinal));

    private int Gets => _kubernetes.Requests.Count(r => r.StartsWith("GET", StringComparison.Ordinal));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _keys.Dispose();
        _temporary.Dispose();
        await _kubernetes.DisposeAsync();
    }

    [Fact]
    public async Task A_store_whose_keys_are_there_is_Ready_and_says_that_nobody_has_used_them()
    {
        Start();

        var requeue = await ReconcileAsync();

        Assert.Equal(
            ("True", "KeysResolved", "The keys are there; the vendor has not been asked with them yet."),
            (Ready.Status, Ready.Reason, Ready.Message)
        );
        Assert.InRange(
            Assert.IsType<ReconcileResult.After>(requeue).Delay,
            TimeSpan.FromMinutes(5),
            TimeSpan.FromMinutes(5.5)
        );
    }

    [Fact]
    public async Task A_settled_store_costs_its_Secret_every_five_minutes_and_nothing_else()
    {
        Start();
        await ReconcileAsync();
        var (patches, gets) = (Patches, Gets);

        for (var i = 0; i < 12; i++)
        {
            _time.Advance(Assert.IsType<ReconcileResult.After>(await ReconcileAsync()).Delay);
        }

        Assert.Equal(patches, Patches);
        Assert.InRange(Gets - gets, 10, 12);
    }

    [Fact]
    public async Task A_vendors_word_on_the_key_wakes_the_store_and_is_told_and_kept()
    {
        Start();
        await ReconcileAsync();
        var woken = new ConcurrentQueue<NamespacedName>();
        using var stop = new CancellationTokenSource();
        var listening = _news.RunAsync(woken.Enqueue, stop.Token);

        await AnswerAsync(failure: null);
        await ReconcileAsync();
        var accepted = Ready.Reason;
        await AnswerAsync(failure: null);
        await AnswerAsync(Rejection);
        await ReconcileAsync();
        var rejected = Ready;
        _time.Advance(TimeSpan.FromMinutes(1));
        await AnswerAsync(failure: null);
        await ReconcileAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listening);

        Assert.Equal("KeysAccepted", accepted);
        Assert.Equal(
            ("False", "CredentialsRejected", "The vendor rejects the access key: InvalidAccessKeyId. Mend the Secret."),
            (rejected.Status, rejected.Reason, rejected.Message)
        );
        Assert.Equal(("True", "KeysAccepted"), (Ready.Status, Ready.Reason));
        Assert.Equal([Given.StoreKey, Given.StoreKey, Given.StoreKey], woken); // taken, rejected, taken: once each
    }

    [Fact]
    public async Task That_the_vendor_has_taken_the_keys_outlives_a_restart()
    {
        Start();
        await ReconcileAsync();
        await AnswerAsync(failure: null);
        await ReconcileAsync();
        var patches = Patches;
        _time.Advance(TimeSpan.FromHours(2));
        (
            await _breakers.EnterAsync(
                new AccessKey("other", "other", SecurityToken: null),
                Realm,
                "bucket",
                CancellationToken.None
            )
        ).Value!.Dispose(); // drops what nobody has used for long

        await ReconcileAsync();

        Assert.Equal(("KeysAccepted", patches), (Ready.Reason, Patches));
    }

    [Fact]
    public async Task A_store_of_another_region_is_told_only_what_its_own_region_has_said()
    {
        Start();
        await AnswerAsync(failure: null, "AlibabaOSS/cn-beijing");
        await ReconcileAsync();
        var untried = (Ready.Status, Ready.Reason);
        await AnswerAsync(Rejection);
        await ReconcileAsync();

        Assert.Equal(("True", "KeysResolved"), untried);
        Assert.Equal(("False", "CredentialsRejected"), (Ready.Status, Ready.Reason));
        Assert.Contains("The region does not know this key", Ready.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_was_replaced_is_not_called_accepted_before_the_vendor_has_seen_it()
    {
        Start();
        await ReconcileAsync();
        await AnswerAsync(failure: null);
        await ReconcileAsync();
        _kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"), ("accessKeySecret", "hush-another"));
        _time.Advance(TimeSpan.FromMinutes(5));
        _kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH", StringComparison.Ordinal) ? KubernetesFake.Status(409, "Conflict") : null;
        await ReconcileAsync();
        _kubernetes.Faults = (_, _) => null;

        await ReconcileAsync();

        Assert.Equal(("True", "KeysResolved"), (Ready.Status, Ready.Reason));
    }

    [Fact]
    public async Task A_missing_Secret_is_waited_for_and_then_called_for()
    {
        Put(Given.Store());

        var requeue = await ReconcileAsync();
        var first = (Ready.Status, Ready.Reason, Status.Conditions[1].Type);
        _time.Advance(TimeSpan.FromMinutes(5));
        await ReconcileAsync();
        var later = (Ready.Status, Ready.Reason, Status.Conditions[1].Type);
        _kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"), ("accessKeySecret", "hush"));
        _time.Advance(TimeSpan.FromSeconds(5));
        await ReconcileAsync();

        Assert.InRange(
            Assert.IsType<ReconcileResult.After>(requeue).Delay,
            TimeSpan.FromSeconds(5),
            TimeSpan.FromSeconds(5.5)
        );
        Assert.Equal(("False", "SecretNotFound", "Reconciling"), first);
        Assert.Equal(("False", "SecretNotFound", "Stalled"), later);
        Assert.Equal("True", Ready.Status);
    }

    [Theory]
    [InlineData("a spec that cannot be", "Floppy", null, "InvalidSpec")]
    [InlineData("an endpoint that is not on the list", "AlibabaOSS", "https://inside.example", "EndpointNotAllowed")]
    public async Task What_only_a_change_can_mend_is_stalled_and_left_alone(
        string sentence,
        string vendor,
        string? endpoint,
        string reason
    )
    {
        Put(Given.Store(vendor, "cn-hangzhou").At(endpoint));

        var requeue = await ReconcileAsync();

        Assert.True(("False", reason, "Stalled") == (Ready.Status, Ready.Reason, Status.Conditions[1].Type), sentence);
        Assert.Same(ReconcileResult.OnChange, requeue);
        Assert.Equal(0, Gets);
    }

    [Fact]
    public async Task A_Kubernetes_that_fails_shows_only_when_it_lasts()
    {
        Start();
        await ReconcileAsync();
        Put(Given.Store());
        _keys.Forget(new SecretSource(Given.SecretKey));
        _kubernetes.Faults = (_, line) =>
            line.StartsWith("GET", StringComparison.Ordinal) ? KubernetesFake.Status(500, "InternalError") : null;

        var statuses = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            Assert.IsType<ReconcileResult.Retry>(await ReconcileAsync());
            statuses.Add($"{Ready.Status} {Ready.Reason}");
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(["True KeysResolved", "True KeysResolved", "Unknown SecretUnreadable"], statuses);
        Assert.NotNull(Status.Conditions.Find("Reconciling"));
    }

    [Fact]
    public async Task A_remark_goes_with_a_store_that_is_well()
    {
        _remark = "No namespace may use the store.";
        Start();

        await ReconcileAsync();

        Assert.EndsWith("No namespace may use the store.", Ready.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conflict_and_a_store_that_is_said_to_be_gone_are_tried_again()
    {
        Start();
        _kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH", StringComparison.Ordinal) ? KubernetesFake.Status(409, "Conflict") : null;
        var conflict = await ReconcileAsync();
        _kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH", StringComparison.Ordinal) ? KubernetesFake.Status(404, "NotFound") : null;
        var gone = await ReconcileAsync();

        Assert.Equal(new ReconcileResult.Retry(TimeSpan.Zero), conflict);
        // The watch tells when it is; until then somebody on the way may have said so
        Assert.IsType<ReconcileResult.Retry>(gone);
    }

    [Fact]
    public async Task A_store_that_the_watch_has_seen_go_is_left_alone()
    {
        Start();
        await ReconcileAsync();
        _mirror.Apply(new WatchEvent<BucketStore>.Deleted(Given.StoreKey));

        Assert.Same(
            ReconcileResult.OnChange,
            await _reconciler.ReconcileAsync(Given.StoreKey, attempt: 0, CancellationToken.None)
        );
    }

    private void Start()
    {
        _kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"), ("accessKeySecret", "hush"));
        Put(Given.Store());
    }

    private void Put(BucketStore store) => Applied(_kubernetes.Put(ApiResources.Stores, store));

    private async Task<ReconcileResult> ReconcileAsync()
    {
        var before = _mirror.Find(Given.StoreKey)!;
        var requeue = await _reconciler.ReconcileAsync(Given.StoreKey, _attempt, CancellationToken.None);
        _attempt = requeue is ReconcileResult.Retry ? _attempt + 1 : 0;
        var now = _kubernetes.Read(ApiResources.Stores, Given.StoreKey);
        if (now.Status is { } status)
            StoreStatusRules.Check(before, status, _time.GetUtcNow());
        Applied(now);
        return requeue;
    }

    /// <summary>What a policy's call would bring.</summary>
    private async Task AnswerAsync(Failure? failure, string realm = Realm)
    {
        using var pass = (
            await _breakers.EnterAsync(
                new AccessKey("LTAI", "hush", SecurityToken: null),
                realm,
                "bucket",
                CancellationToken.None
            )
        ).Value!;
        pass.Answered(failure);
    }

    private void Applied(BucketStore store) => _mirror.Apply(new WatchEvent<BucketStore>.Applied(store));
}
