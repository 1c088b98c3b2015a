using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Api;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// Policies that come, change and go at random over buckets that they share, worked on by several workers at a time, against the simplest model of who
/// keeps a bucket: of the policies that name it, enforce, and have keys that work, the oldest. A suspended policy keeps the claims that it had.
/// </summary>
public sealed class SharedBucketsModelTests(ITestOutputHelper output)
{
    private const int Policies = 50;
    private const int Buckets = 20;
    private const int Rounds = 4;
    private const int Workers = 4;

    [Fact]
    public async Task The_models_holder_keeps_each_bucket_and_nobody_writes_beside_him()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var (runs, writes, conflicts) = (RandomSeed.Cases(200), 0, 0);
        for (var run = 0; run < runs; run++)
        {
            await using var world = new World(random);
            for (var round = 0; round < Rounds; round++)
            {
                world.ChangeSome();
                await world.SettleAsync();
                conflicts += world.Check($"run {run}, round {round}");
            }
            writes += world.Writes;
        }
        output.WriteLine($"{runs} runs of {Rounds} rounds, {Policies} policies over {Buckets} buckets: {writes} writes, never two at a time on one bucket; {conflicts} times a policy yielded; every bucket with the model's holder");
    }

    private sealed class World(Random random) : IAsyncDisposable
    {
        private readonly Workbench _bench = new();
        private readonly HashSet<NamespacedName> _claimedAtRest = [];

        /// <summary>In this round. What a policy claims that rests from then on is what it had at the end of the last one.</summary>
        private readonly HashSet<NamespacedName> _changed = [];
        private int _made;

        public int Writes => _bench.Vendor.Calls.Count(c => c.Operation != "Get");

        public void ChangeSome()
        {
            if (_made == 0)
                Begin();
            _changed.Clear();
            for (var i = 0; i < 15; i++)
                ChangeOne();
        }

        /// <summary>Every key, again and again, until a whole pass changes nothing.</summary>
        public async Task SettleAsync()
        {
            for (var pass = 0; pass < 12; pass++)
            {
                NamespacedName[] keys = [.. _bench.Kubernetes.Keys];
                var before = (_bench.Patches, Writes);
                random.Shuffle(keys);
                await _bench.ReconcileAsync(keys, Workers);
                _bench.Time.Advance(TimeSpan.FromMinutes(6)); // longer than a rejected key's probe, and than the rest of a write
                if (pass > 1 && before == (_bench.Patches, Writes))
                    return;
            }
            Assert.Fail("it never comes to rest");
        }

        /// <returns>Policies that yield a bucket.</returns>
        public int Check(string when)
        {
            var policies = _bench.Kubernetes.Policies;
            Assert.True(_bench.Vendor.MostWritersOfABucket <= 1, $"{when}: two writers at a time");
            foreach (var policy in policies)
                Assert.Empty(StatusRules.BrokenByItself(policy, policy.Status ?? new PolicyStatus()));
            for (var i = 0; i < Buckets; i++)
                CheckBucket(policies, $"bucket-{i}", when);
            _claimedAtRest.RemoveWhere(k => policies.All(p => p.Metadata.Key != k || p.Spec.Suspend != true));
            _claimedAtRest.UnionWith(policies.Where(p => p.Spec.Suspend != true && HasKeys(p)).Select(p => p.Metadata.Key));
            return policies.Count(p => p.Status?.Buckets.Any(b => b.Error?.Code == "BucketConflict") == true);
        }

        public ValueTask DisposeAsync() => _bench.DisposeAsync();

        private void CheckBucket(IReadOnlyList<BucketEncryptionPolicy> policies, string bucket, string when)
        {
            var holder = policies.Where(p => Claims(p) && p.Spec.Buckets.Any(b => b.Name == bucket)).OrderBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Uid, StringComparer.Ordinal).FirstOrDefault();
            if (holder is null || holder.Spec.Suspend == true)
                return; // nobody writes it, or may
            var now = _bench.Vendor[bucket] as BucketEncryption.Kms;
            Assert.True(now?.KeyId == KeyOf(holder), $"{when}: {bucket} has {now}, and {holder.Metadata.Name} holds it\n{Describe(policies, bucket)}");
            foreach (var other in policies.Where(p => p.Metadata.Uid != holder.Metadata.Uid && Claims(p) && p.Spec.Suspend != true && p.Spec.Buckets.Any(b => b.Name == bucket)))
            {
                var row = other.Status!.Buckets.Single(b => b.Name == bucket);
                Assert.True(KeyOf(other) == KeyOf(holder) ? row.Error is null : row.Error?.Code == "BucketConflict", $"{when}: {other.Metadata.Name} says {row.Error?.Code} of {bucket}, which {holder.Metadata.Name} holds");
            }
        }

        private static string Describe(IReadOnlyList<BucketEncryptionPolicy> policies, string bucket) => string.Join('\n',
            from p in policies
            where p.Spec.Buckets.Any(b => b.Name == bucket)
            orderby p.Metadata.CreationTimestamp
            let row = p.Status?.Buckets.FirstOrDefault(b => b.Name == bucket)
            select $"{p.Metadata.Name} of {p.Metadata.CreationTimestamp:HH:mm} {p.Spec.Mode} {p.Spec.StoreRef.Name} {KeyOf(p)} suspended {p.Spec.Suspend} deleted {p.Metadata.DeletionTimestamp}: {row?.State} {row?.Error?.Code} claimed {row?.ClaimedTime}");

        private bool Claims(BucketEncryptionPolicy p) =>
            p.Metadata.DeletionTimestamp is null && p.Spec.Mode != "Audit" && (p.Spec.Suspend == true ? _claimedAtRest.Contains(p.Metadata.Key) : HasKeys(p));

        private static bool HasKeys(BucketEncryptionPolicy policy) => policy.Spec.StoreRef.Name == Given.StoreKey.Name;

        private static string? KeyOf(BucketEncryptionPolicy policy) => policy.Spec.Encryption.KmsKey?.Id;

        private void Begin()
        {
            for (var i = 0; i < Buckets; i++)
                _bench.Vendor[$"bucket-{i}"] = random.Next(2) == 0 ? new BucketEncryption.None() : new BucketEncryption.Kms("before", DataCipher.Aes256);
            _bench.Start(New());
            _bench.Put(Given.Store() with { Metadata = Given.Store().Metadata with { Name = "no-keys" }, Spec = Given.Store().Spec with { Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = "bad" } } } });
            _bench.Kubernetes.PutSecret(new NamespacedName(Given.Namespace, "bad"), ("accessKeyId", "LTAI"), ("accessKeySecret", "hush-bad"));
            while (_made < Policies)
                _bench.Put(New());
        }

        private void ChangeOne()
        {
            var policies = _bench.Kubernetes.Policies.Where(p => p.Metadata.DeletionTimestamp is null).ToList();
            if (policies.Count == 0 || random.Next(6) == 0)
            {
                _bench.Put(New());
                return;
            }
            var policy = policies[random.Next(policies.Count)];
            var spec = policy.Spec;
            switch (random.Next(6))
            {
                case 0:
                    _bench.Delete(policy.Metadata.Key);
                    return;
                case 1:
                    spec = spec with { Buckets = SomeBuckets() };
                    break;
                case 2:
                    spec = spec with { Mode = spec.Mode == "Audit" ? "Enforce" : "Audit" };
                    break;
                case 3:
                    spec = spec with { Encryption = SomeEncryption() };
                    break;
                case 4 when !_changed.Contains(policy.Metadata.Key):
                    spec = spec with { Suspend = spec.Suspend != true };
                    break;
                default:
                    _bench.Vendor[$"bucket-{random.Next(Buckets)}"] = new BucketEncryption.Kms("somebody-else", DataCipher.Aes256);
                    return;
            }
            if (policy.Spec.Suspend == true && spec.Suspend == true)
                return; // what a resting policy would make of a change, the model does not say
            _changed.Add(policy.Metadata.Key);
            _bench.Put((policy with { Spec = spec }).NextGeneration());
        }

        private BucketEncryptionPolicy New()
        {
            var policy = Given.Policy().With(SomeEncryption());
            var name = $"policy-{_made++}";
            return policy with
            {
                Metadata = policy.Metadata with { Name = name, Uid = $"uid-{random.Next()}", CreationTimestamp = DateTimeOffset.UnixEpoch.AddMinutes(random.Next(100)) },
                Spec = policy.Spec with
                {
                    StoreRef = new StoreReference { Name = random.Next(5) == 0 ? "no-keys" : Given.StoreKey.Name },
                    Buckets = SomeBuckets(),
                    Mode = random.Next(6) == 0 ? "Audit" : "Enforce",
                    DeletionPolicy = random.Next(3) switch
                    {
                        0 => "Restore",
                        1 => "Delete",
                        _ => "Retain",
                    },
                    AllowDowngrade = true,
                },
            };
        }

        private System.Collections.Immutable.ImmutableArray<BucketReference> SomeBuckets() =>
            [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(Buckets)).Distinct().Select(i => new BucketReference { Name = $"bucket-{i}" })];

        private EncryptionSpec SomeEncryption() => new() { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = $"k-{random.Next(6)}" } };
    }
}
