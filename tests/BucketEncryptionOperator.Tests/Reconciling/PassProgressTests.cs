using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>A pass that cannot come to all buckets is gone on with, and not begun again.</summary>
public sealed class PassProgressTests : IAsyncDisposable
{
    private const int Buckets = 12;

    private static readonly string[] Names = [.. Enumerable.Range(0, Buckets).Select(i => $"bucket-{i:00}")];

    private readonly Workbench _bench = new();

    public PassProgressTests()
    {
        foreach (var name in Names)
            _bench.Vendor[name] = new BucketEncryption.Aes256();
        _bench.Start(Given.Policy(Names));
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_pass_that_meets_the_rate_limit_begins_the_next_time_where_it_stopped()
    {
        var looked = new List<string>();
        for (var pass = 0; pass < 3; pass++)
        {
            var next = await PassAsync(requests: 5);
            looked.AddRange(_bench.Vendor.Calls.Skip(looked.Count).Select(c => c.Bucket));
            var delay = Assert.IsType<ReconcileResult.After>(next).Delay.TotalSeconds;
            Assert.True(pass == 2 ? delay > 30 : delay == 7, $"pass {pass}: {next}");
        }

        Assert.Equal(Names, looked);
        Assert.Equal((Condition.True, "InSync"), Ready());
        Assert.Equal(0, _bench.Progress.Count);
    }

    /// <summary>
    /// At a tenth of a request per second a round takes longer than a look is good for: still every bucket has its
    /// turn.
    /// </summary>
    [Fact]
    public async Task Every_bucket_has_its_turn_at_any_rate()
    {
        for (var pass = 0; pass < Buckets; pass++)
        {
            await PassAsync(requests: 1);
            _bench.Time.Advance(TimeSpan.FromMinutes(4));
        }

        Assert.Equal(Names, _bench.Vendor.Calls.Select(c => c.Bucket));
    }

    [Fact]
    public async Task A_pass_that_gives_its_worker_to_others_goes_on_behind_them_and_counts_no_failure()
    {
        var looks = 0;
        _bench.ShouldYield = _ => looks++ >= 5;
        var first = await _bench.ReconcileAsync();
        var afterFirst = (_bench.Vendor.Count("Get"), Ready().Status);
        _bench.ShouldYield = _ => false;
        var second = await _bench.ReconcileAsync();

        // The first one without asking.
        Assert.Equal((ReconcileResult.Behind, (6, Condition.Unknown)), (first, afterFirst));
        Assert.IsType<ReconcileResult.After>(second);
        Assert.Equal(Names, _bench.Vendor.Calls.Select(c => c.Bucket));
        Assert.Equal(Condition.True, Ready().Status);
    }

    [Fact]
    public async Task Writes_are_given_way_too_and_each_is_made_once()
    {
        foreach (var name in Names)
            _bench.Vendor[name] = new BucketEncryption.None();
        var asked = 0;
        _bench.ShouldYield = _ => ++asked > Buckets + 4;

        var first = await _bench.ReconcileAsync();
        var written = _bench.Vendor.Count("Put");
        _bench.ShouldYield = _ => false;
        await _bench.SettleAsync();

        Assert.Equal((ReconcileResult.Behind, 5), (first, written)); // the first one without asking
        Assert.Equal(
            Names,
            _bench.Vendor.Calls.Where(c => c.Operation == "Put").Select(c => c.Bucket).Order(StringComparer.Ordinal)
        );
        Assert.Equal(Condition.True, Ready().Status);
        Assert.Equal(2, _bench.Events.Notes.Count()); // one for the five, one for the other seven
    }

    /// <summary>
    /// Every pass has used up its time before it begins. Each still writes one bucket. No bucket is looked at twice.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Each_pass_gets_on_however_long_others_have_waited(int bucketConcurrency)
    {
        await using var bench = new Workbench(bucketConcurrency);
        foreach (var name in Names)
            bench.Vendor[name] = new BucketEncryption.None();
        bench.Start(Given.Policy(Names));
        bench.ShouldYield = _ => true;

        var passes = 0;
        while (bench.Vendor.Count("Put") < Buckets && ++passes < 100)
        {
            await bench.ReconcileAsync();
            bench.Time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.InRange(passes, Buckets / bucketConcurrency, 2 * Buckets);
        Assert.InRange(bench.Vendor.Count("Get"), 2 * Buckets, 3 * Buckets);
    }

    [Theory]
    [InlineData("the spec changed")]
    [InlineData("somebody asked for a look")]
    [InlineData("the store changed")]
    [InlineData("the process is another one")]
    public async Task What_was_looked_at_before_does_not_count_when(string change)
    {
        await PassAsync(requests: 5);
        var policy = _bench.Kubernetes.Read(Given.PolicyKey);
        switch (change)
        {
            case "the spec changed":
                _bench.Put(policy.With(new EncryptionSpec { Algorithm = "AES256" }).NextGeneration());
                break;
            case "somebody asked for a look":
                var asked = policy.Metadata with { Annotations = [new(Schedule.RequestedAt, "now")] };
                _bench.Put(policy with { Metadata = asked });
                break;
            case "the store changed":
                var changed = Given.Store().Metadata with { Generation = 2, ResourceVersion = "2" };
                _bench.Put(Given.Store() with { Metadata = changed });
                break;
            default:
                _bench.Restart();
                break;
        }

        await PassAsync(requests: Buckets);

        Assert.Equal([.. Names[..5], .. Names], _bench.Vendor.Calls.Select(c => c.Bucket));
    }

    [Fact]
    public async Task A_look_counts_for_ten_minutes()
    {
        await PassAsync(requests: 5);
        _bench.Time.Advance(PassProgress.KeptFor + TimeSpan.FromSeconds(1));

        await PassAsync(requests: Buckets);

        Assert.Equal([.. Names[..5], .. Names[5..], .. Names[..5]], _bench.Vendor.Calls.Select(c => c.Bucket));
    }

    [Fact]
    public async Task A_limit_that_lets_nothing_through_is_a_failure_that_backs_off()
    {
        var next = await PassAsync(requests: 0);

        Assert.IsType<ReconcileResult.Retry>(next);
    }

    /// <summary>
    /// A work queue hands out a name once, however much has happened to it. So the process may never see that the
    /// policy is gone.
    /// </summary>
    [Fact]
    public async Task Of_a_policy_that_was_made_again_under_its_name_nothing_stays()
    {
        await PassAsync(requests: 5);
        var (before, policy) = (_bench.Progress.Count, _bench.Kubernetes.Read(Given.PolicyKey));

        _bench.Delete(Given.PolicyKey);
        _bench.Put(policy with { Metadata = policy.Metadata with { Uid = "another" }, Status = null });
        _bench.RemoveStore(Given.StoreKey);
        await _bench.ReconcileAsync();

        Assert.Equal((1, 0), (before, _bench.Progress.Count));
    }

    [Fact]
    public async Task Of_a_policy_that_is_gone_nothing_stays()
    {
        await PassAsync(requests: 5);
        var before = _bench.Progress.Count;

        _bench.Delete(Given.PolicyKey);
        await _bench.ReconcileAsync();

        Assert.Equal((1, 0), (before, _bench.Progress.Count));
    }

    /// <summary>A reconcile in which the rate limit lets so many requests through.</summary>
    private Task<ReconcileResult> PassAsync(int requests)
    {
        var limited = new Failure(FailureKind.Throttled, "GetBucketEncryption", "RateLimited")
        {
            NotSent = true,
            RetryAfter = TimeSpan.FromSeconds(7),
        };
        var left = requests;
        _bench.Vendor.BeforeSend = () => left-- > 0 ? null : limited;
        return _bench.ReconcileAsync();
    }

    private (string Status, string Reason) Ready() =>
        _bench.Status.Conditions.Find(ConditionTypes.Ready) is { } ready
            ? (ready.Status, ready.Reason)
            : throw new InvalidOperationException("no status");
}
