using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Policies that do less than enforce just what they declare.</summary>
public sealed class ModesTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Bucket = "finance-archive";

    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Key1 = new BucketEncryption.Kms("k-1", DataCipher.Aes256);

    private readonly Workbench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Audit_reports_drift_with_what_Enforce_would_send_and_writes_nothing()
    {
        _bench.Vendor[Bucket] = None;
        var policy = Given.Policy(Bucket);

        await _bench.Start(policy with { Spec = policy.Spec with { Mode = "Audit" } }).ReconcileAsync();
        var planned = Assert.Single(_bench.Status.Buckets).Planned;
        var audited = (Ready(), Compliant(), _bench.Vendor.Calls.Select(c => c.Operation).ToList());
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put((now with { Spec = now.Spec with { Mode = "Enforce" } }).NextGeneration());
        await _bench.ReconcileAsync();

        Assert.Equal((("True", "Audited"), "False"), (audited.Item1, audited.Item2));
        Assert.Equal(["Get"], audited.Item3);
        Assert.Equal((PlannedWrite.Put, "AES256"), (planned?.Operation, planned?.Target.Algorithm));
        Assert.Equal(planned?.Document, _bench.Vendor.Document(Bucket));
        Assert.Null(Assert.Single(_bench.Status.Buckets).Planned);
        Assert.Equal(["DriftDetected", "EncryptionApplied"], _bench.Events.Reasons);
    }

    [Fact]
    public async Task Audit_says_each_thing_once()
    {
        _bench.Vendor[Bucket] = None;
        var policy = Given.Policy(Bucket);
        await _bench.Start(policy with { Spec = policy.Spec with { Mode = "Audit" } }).SettleAsync();
        var (patches, events) = (_bench.Patches, _bench.Events.All.Count);

        for (var i = 0; i < 3; i++)
        {
            _bench.Time.Advance(TimeSpan.FromMinutes(1));
            await _bench.ReconcileAsync();
        }

        Assert.Equal((patches, events), (_bench.Patches, _bench.Events.All.Count));
    }

    [Theory]
    [InlineData("a stronger one is as good", "AtLeast", "AES256", true)]
    [InlineData("not where exactly the declared is asked for", "Exact", "AES256", false)]
    [InlineData("a weaker one is not", "AtLeast", "KMS", false)]
    public async Task At_least_takes_what_is_stronger(string sentence, string match, string algorithm, bool isMet)
    {
        _bench.Vendor[Bucket] = algorithm == "AES256" ? Key1 : Aes;
        var policy = Given.Policy(Bucket).With(new EncryptionSpec { Algorithm = algorithm });

        await _bench.Start(policy with { Spec = policy.Spec with { Match = match, Mode = "Audit" } }).ReconcileAsync();

        Assert.True((isMet ? "True" : "False") == Compliant(), sentence);
    }

    /// <summary>A status that is larger than an object may be could never be written.</summary>
    [Fact]
    public async Task Plans_of_many_large_documents_are_bounded()
    {
        var names = Enumerable.Range(0, 256).Select(i => $"bucket-{i}").ToArray();
        foreach (var name in names)
        {
            _bench.Vendor[name] = None;
            _bench.Vendor.SetDocument(
                name,
                "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>"
                    + $"<SSEAlgorithm>AES256</SSEAlgorithm><Future>{new string('x', 3000)}</Future>"
                    + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"
            );
        }
        var policy = Given.Policy(names).With(new EncryptionSpec { Algorithm = "KMS" });

        await _bench.Start(policy with { Spec = policy.Spec with { Mode = "Audit" } }).ReconcileAsync();

        Assert.All(_bench.Status.Buckets, b => Assert.Equal("KMS", b.Planned?.Target.Algorithm));
        Assert.InRange(_bench.Status.Buckets.Sum(b => b.Planned?.Document?.Length ?? 0), 100_000, 256 * 1024);
    }

    [Fact]
    public async Task A_suspended_policy_reads_and_writes_nothing_and_keeps_its_Ready()
    {
        _bench.Vendor[Bucket] = None;
        await _bench.Start(Given.Policy(Bucket)).SettleAsync();
        var calls = _bench.Vendor.Calls.Count;
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Vendor[Bucket] = None;
        _bench.Put((now with { Spec = now.Spec with { Suspend = true } }).NextGeneration());

        var requeue = await _bench.ReconcileAsync();

        Assert.Equal(ReconcileResult.OnChange, requeue);
        Assert.Equal(calls, _bench.Vendor.Calls.Count);
        Assert.Equal((("True", "Suspended"), "Unknown"), (Ready(), Compliant()));
        Assert.Equal(2, _bench.Status.ObservedGeneration);
    }

    /// <summary>
    /// A pass over many buckets may take minutes where the vendor is slow: who stops it must not wait for its end.
    /// </summary>
    [Theory]
    [InlineData("suspended")]
    [InlineData("audited")]
    [InlineData("another declaration")]
    [InlineData("deleted")]
    public async Task Nothing_is_written_for_a_spec_that_has_changed_since_the_look(string change)
    {
        _bench.Vendor[Bucket] = None;
        _bench.Start(Given.Policy(Bucket));
        _bench.Vendor.Faults = (_, call) =>
        {
            var now = _bench.Kubernetes.Find(Given.PolicyKey);
            if (call.Operation == "Get" && now is { Metadata.Generation: 1 })
            {
                if (change == "deleted")
                    _bench.Delete(Given.PolicyKey);
                else
                    _bench.Put(
                        (
                            now with
                            {
                                Spec =
                                    change == "suspended" ? now.Spec with { Suspend = true }
                                    : change == "audited" ? now.Spec with { Mode = "Audit" }
                                    : now.Spec with { Encryption = new EncryptionSpec { Algorithm = "SM4" } },
                            }
                        ).NextGeneration()
                    );
            }
            return null;
        };

        await _bench.ReconcileAsync();

        Assert.Equal(0, _bench.Vendor.Count("Put"));
        Assert.Equal(None, _bench.Vendor[Bucket]);
    }

    [Fact]
    public async Task What_was_written_before_a_pass_was_suspended_stands_in_the_status()
    {
        string[] buckets = ["a-bucket", "b-bucket"];
        foreach (var bucket in buckets)
            _bench.Vendor[bucket] = None;
        _bench.Start(Given.Policy(buckets));
        _bench.Vendor.Faults = (_, call) =>
        {
            if (call.Operation == "Put" && _bench.Kubernetes.Find(Given.PolicyKey) is { Metadata.Generation: 1 } now)
                _bench.Put((now with { Spec = now.Spec with { Suspend = true } }).NextGeneration());
            return null;
        };

        await _bench.SettleAsync();

        var rows = _bench.Status.Buckets;
        Assert.Equal((Aes, None), (_bench.Vendor["a-bucket"], _bench.Vendor["b-bucket"]));
        Assert.Equal([BucketStatus.InSync, BucketStatus.Unknown], rows.Select(r => r.State));
        Assert.Equal([true, false], rows.Select(r => r.LastAppliedTime is not null));
        Assert.Equal(["EncryptionApplied"], _bench.Events.Reasons);
    }

    [Fact]
    public async Task A_request_by_annotation_is_echoed()
    {
        _bench.Vendor[Bucket] = Aes;
        await _bench.Start(Given.Policy(Bucket)).SettleAsync();
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put(
            now with
            {
                Metadata = now.Metadata with
                {
                    Annotations = [new("reconcile.fluxcd.io/requestedAt", "2026-11-21T12:00:00Z")],
                },
            }
        );

        await _bench.ReconcileAsync();

        Assert.Equal("2026-11-21T12:00:00Z", _bench.Status.LastHandledReconcileAt);
    }

    /// <summary>Somebody puts the bucket back every 10 s, for a day.</summary>
    [Fact]
    public async Task A_bucket_that_somebody_keeps_changing_back_is_contested_and_the_writes_are_bounded()
    {
        _bench.Vendor[Bucket] = None;
        var policy = Given.Policy(Bucket);
        _bench.Start(policy with { Spec = policy.Spec with { ResyncInterval = "30s" } });
        var contested = false;

        var end = _bench.Time.GetUtcNow().AddDays(1);
        while (_bench.Time.GetUtcNow() < end)
        {
            _bench.Time.Advance(Assert.IsType<ReconcileResult.After>(await _bench.ReconcileAsync()).Delay);
            contested |= Ready().Reason == "Contested";
            _bench.Vendor[Bucket] = None;
        }

        output.WriteLine(
            $"a bucket that somebody puts back within every 30 s, a day: {_bench.Vendor.Count("Put")} PUTs, Contested"
        );
        Assert.True(contested);
        Assert.InRange(_bench.Vendor.Count("Put"), 4, 12);
    }

    [Fact]
    public async Task Drift_now_and_then_is_corrected_each_time()
    {
        _bench.Vendor[Bucket] = Aes;
        await _bench.Start(Given.Policy(Bucket)).SettleAsync();

        for (var i = 0; i < 10; i++)
        {
            _bench.Time.Advance(TimeSpan.FromHours(6));
            _bench.Vendor[Bucket] = None;
            await _bench.ReconcileAsync();
            Assert.Equal(Aes, _bench.Vendor[Bucket]);
        }

        Assert.Equal(("True", "InSync"), Ready());
    }

    private (string Status, string Reason) Ready() =>
        _bench.Status.Conditions.Find("Ready") is { } ready ? (ready.Status, ready.Reason) : ("", "");

    private string? Compliant() => _bench.Status.Conditions.Find("Compliant")?.Status;
}
