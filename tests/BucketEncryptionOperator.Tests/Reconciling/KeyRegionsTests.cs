using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// One access key in stores of several regions. A region that does not know the key (another partition, an opt-in
/// region that is not enabled) must not take it away from the regions that do.
/// </summary>
public sealed class KeyRegionsTests : IAsyncLifetime
{
    private static readonly NamespacedName Healthy = new(Given.Namespace, "healthy");
    private static readonly NamespacedName Foreign = new(Given.Namespace, "foreign");

    private readonly RegionalVendor _vendor = new();
    private readonly Workbench _bench;
    private readonly Dictionary<NamespacedName, DateTimeOffset> _due = [];

    public KeyRegionsTests() => _bench = new Workbench(real: ("S3", _vendor));

    public Task InitializeAsync()
    {
        _vendor.Now = _bench.Time.GetUtcNow;
        _bench.Kubernetes.PutSecret(
            Given.SecretKey,
            ("accessKeyId", "AKIA"),
            ("accessKeySecret", Workbench.GoodSecret)
        );
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Theory]
    [InlineData("cn-north-1", "InvalidAccessKeyId", 403)]
    [InlineData("ap-east-1", "InvalidToken", 400)]
    public async Task A_region_that_does_not_know_the_key_breaks_its_own_store_only(
        string region,
        string code,
        int status
    )
    {
        _vendor.Rejects[region] = Rejection(code, status);
        Put(Healthy, "eu-west-1");
        await RunAsync(TimeSpan.FromMinutes(1));
        Put(Foreign, region);

        await RunAsync(TimeSpan.FromMinutes(5), () => Assert.Equal("True", Ready(Healthy).Status));

        var ready = Ready(Foreign);
        Assert.Equal(("False", "CredentialsRejected"), (ready.Status, ready.Reason));
        Assert.Contains("does not know this key", ready.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("correct accessKeyId", ready.Message, StringComparison.Ordinal);
        Assert.InRange(_vendor.Calls.Count(c => c.Region == region), 5, 6); // the first, and one a minute
    }

    [Fact]
    public async Task A_key_that_a_region_has_rejected_first_is_tried_at_once_in_another()
    {
        _vendor.Rejects["cn-north-1"] = Rejection("InvalidAccessKeyId", 403);
        Put(Foreign, "cn-north-1");
        await RunAsync(TimeSpan.FromSeconds(30));
        var before = Ready(Foreign).Message;
        Put(Healthy, "eu-west-1");

        await RunAsync(TimeSpan.FromSeconds(10));

        Assert.Contains("correct accessKeyId", before, StringComparison.Ordinal);
        Assert.Equal("True", Ready(Healthy).Status);
        Assert.Contains("does not know this key", Ready(Foreign).Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// The key is switched off and on again, while one region goes on rejecting it and one bucket gives answers that
    /// say nothing.
    /// </summary>
    [Fact]
    public async Task A_key_that_is_good_again_is_soon_used_again_where_it_was_proven_whoever_else_asks()
    {
        var rejection = Rejection("InvalidAccessKeyId", 403);
        _vendor.Rejects["cn-north-1"] = rejection;
        Put(Healthy, "eu-west-1");
        Put(new NamespacedName(Given.Namespace, "mute"), "eu-west-1");
        Put(Foreign, "cn-north-1");
        await RunAsync(TimeSpan.FromMinutes(3));
        _vendor.Rejects["eu-west-1"] = rejection;
        await RunAsync(TimeSpan.FromMinutes(3));
        Assert.Equal("CredentialsRejected", Ready(Healthy).Reason);
        var from = _vendor.Calls.Count;

        _vendor.Faults["mute"] = InMemoryVendor.Fail(FailureKind.Transient, "HTTP_307", 307);
        await RunAsync(TimeSpan.FromMinutes(10));
        var probes = _vendor.Calls.Skip(from).ToList();
        _vendor.Rejects.Remove("eu-west-1");
        await RunAsync(TimeSpan.FromMinutes(4));

        Assert.Equal("True", Ready(Healthy).Status);
        var pauses = probes.Zip(probes.Skip(1), (one, next) => next.At - one.At);
        Assert.All(pauses, p => Assert.InRange(p, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2)));
        Assert.InRange(probes.Count(p => p.Region == "cn-north-1"), 3, 6);
        Assert.InRange(probes.Count(p => p.Bucket == "healthy"), 2, 6);
        Assert.Equal("CredentialsRejected", Ready(Foreign).Reason);
    }

    [Fact]
    public async Task A_page_without_a_code_says_nothing_about_a_key()
    {
        var page = InMemoryVendor.Fail(FailureKind.Denied, "HTTP_403", 403) with { ConcernsCredentials = true };
        Put(Healthy, "eu-west-1");
        await RunAsync(TimeSpan.FromMinutes(1));

        _vendor.Rejects["eu-west-1"] = page;
        await RunAsync(TimeSpan.FromSeconds(40));
        var during = _bench.Breakers.States;
        _vendor.Rejects.Clear();
        await RunAsync(TimeSpan.FromSeconds(40));

        Assert.Equal((0, 1, 0), during);
        Assert.Equal("True", Ready(Healthy).Status);
    }

    private DateTimeOffset Now => _bench.Time.GetUtcNow();

    private static Failure Rejection(string code, int status) =>
        InMemoryVendor.Fail(FailureKind.Denied, code, status) with
        {
            ConcernsCredentials = true,
            Hint = "The access key does not exist or is disabled: correct accessKeyId in the store's Secret.",
        };

    private void Put(NamespacedName name, string region)
    {
        var store = Given.Store("S3", region);
        _bench.Put(store with { Metadata = store.Metadata with { Name = region, Uid = region } });
        var policy = Given.Policy(name.Name);
        _bench.Put(
            policy with
            {
                Metadata = policy.Metadata with { Name = name.Name, Uid = name.Name },
                Spec = policy.Spec with
                {
                    StoreRef = new StoreReference { Kind = "BucketStore", Name = region },
                    ResyncInterval = "30s",
                },
            }
        );
        _due[name] = Now;
    }

    /// <summary>As the controller would: each policy when it has asked to come back.</summary>
    private async Task RunAsync(TimeSpan duration, Action? check = null)
    {
        var end = Now + duration;
        for (; Now < end; _bench.Time.Advance(TimeSpan.FromSeconds(1)))
        {
            foreach (var (name, _) in _due.Where(d => d.Value <= Now).OrderBy(d => d.Value).ToList())
            {
                var delay = await _bench.ReconcileAsync(name) switch
                {
                    ReconcileResult.After after => after.Delay,
                    ReconcileResult.Retry retry => retry.AtLeast,
                    _ => TimeSpan.FromHours(1),
                };
                _due[name] = Now + delay;
            }
            check?.Invoke();
        }
    }

    private Condition Ready(NamespacedName policy) => _bench.Kubernetes.Read(policy).Status!.Conditions.Find("Ready")!;

    /// <summary>One account with a key that each region takes or rejects by itself.</summary>
    private sealed class RegionalVendor : IBucketEncryptionApi
    {
        private readonly InMemoryVendor _buckets = new();

        public Dictionary<string, Failure> Rejects { get; } = new(StringComparer.Ordinal);

        /// <summary>By bucket; goes before the region's answer.</summary>
        public Dictionary<string, Failure> Faults { get; } = new(StringComparer.Ordinal);

        public List<(string Region, string Bucket, DateTimeOffset At)> Calls { get; } = [];

        public Func<DateTimeOffset> Now { get; set; } = () => default;

        public Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
        {
            Enter(address);
            return _buckets.GetAsync(address, key, cancellationToken);
        }

        public Task<IBucketWrite> BeginWriteAsync(
            BucketAddress address,
            AccessKey key,
            CancellationToken cancellationToken
        ) => _buckets.BeginWriteAsync(address, key, cancellationToken);

        public string Write(BucketEncryption target, Observation basis) => _buckets.Write(target, basis);

        public string? Repeat(Observation observed) => _buckets.Repeat(observed);

        private void Enter(BucketAddress address)
        {
            Calls.Add((address.Region, address.Bucket, Now()));
            _buckets[address.Bucket] ??= new BucketEncryption.Aes256();
            if (Faults.TryGetValue(address.Bucket, out var failure) || Rejects.TryGetValue(address.Region, out failure))
                throw new VendorException(failure);
        }
    }
}
