using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>A call that a vendor got: Get, Put or Delete.</summary>
internal sealed record VendorCall(string Operation, string Bucket);

/// <param name="Failure">What the caller is told.</param>
/// <param name="AfterEffect">The call was carried out, and only its answer was lost.</param>
internal sealed record VendorFault(Failure Failure, bool AfterEffect = false);

/// <summary>
/// A vendor in memory that keeps the contract of <see cref="IBucketEncryptionApi"/>: buckets that exist, keys that are good or not,
/// reads that may lag behind writes, and faults at chosen calls.
/// </summary>
internal sealed class InMemoryVendor : IBucketEncryptionApi
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, BucketEncryption> _buckets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (BucketEncryption Old, int Reads)> _stale = new(StringComparer.Ordinal);
    private readonly List<VendorCall> _calls = [];

    /// <summary>From the number of the call, from 1, and the call; null for no fault.</summary>
    public Func<int, VendorCall, VendorFault?> Faults { get; set; } = (_, _) => null;

    /// <summary>The key that is accepted; null accepts any.</summary>
    public string? GoodSecret { get; set; }

    /// <summary>So many reads after a write still see what was there before.</summary>
    public int LaggingReads { get; set; }

    /// <summary>Writes are answered well and do nothing.</summary>
    public bool DropsWrites { get; set; }

    public IReadOnlyList<VendorCall> Calls
    {
        get
        {
            lock (_gate)
                return [.. _calls];
        }
    }

    public BucketEncryption? this[string bucket]
    {
        get
        {
            lock (_gate)
                return _buckets.GetValueOrDefault(bucket);
        }
        set
        {
            lock (_gate)
            {
                if (value is null)
                    _buckets.Remove(bucket);
                else
                    _buckets[bucket] = value;
                _stale.Remove(bucket);
            }
        }
    }

    public int Count(string operation) => Calls.Count(c => c.Operation == operation);

    public Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken) =>
        CallAsync("Get", address, key, () => new Observation(Seen(address.Bucket), "<read/>"), cancellationToken);

    public Task PutAsync(BucketAddress address, AccessKey key, BucketEncryption target, Observation basis, CancellationToken cancellationToken) =>
        CallAsync("Put", address, key, () => Change(address.Bucket, target), cancellationToken);

    public Task DeleteAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken) =>
        CallAsync("Delete", address, key, () => Change(address.Bucket, new BucketEncryption.None()), cancellationToken);

    public static Failure Fail(FailureKind kind, string code, int status, string operation = "Get") =>
        new(kind, operation + "BucketEncryption", code) { HttpStatus = status, Message = "the vendor's words", RequestId = Guid.NewGuid().ToString() };

    private async Task<T> CallAsync<T>(string operation, BucketAddress address, AccessKey key, Func<T> effect, CancellationToken cancellationToken)
    {
        await Task.Yield(); // callers must not rely on an answer in the same breath
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var call = new VendorCall(operation, address.Bucket);
            _calls.Add(call);
            var fault = Faults(_calls.Count, call);
            if (fault is { AfterEffect: false })
                throw new VendorException(fault.Failure);
            if (GoodSecret is not null && key.Secret != GoodSecret)
                throw new VendorException(Fail(FailureKind.Denied, "SignatureDoesNotMatch", 403, operation) with { ConcernsCredentials = true });
            if (!_buckets.ContainsKey(address.Bucket))
                throw new VendorException(Fail(FailureKind.Missing, "NoSuchBucket", 404, operation) with { Hint = "Create the bucket." });
            var result = effect();
            return fault is null ? result : throw new VendorException(fault.Failure);
        }
    }

    private BucketEncryption Seen(string bucket)
    {
        if (!_stale.TryGetValue(bucket, out var stale) || stale.Reads == 0)
            return _buckets[bucket];
        _stale[bucket] = stale with { Reads = stale.Reads - 1 };
        return stale.Old;
    }

    private bool Change(string bucket, BucketEncryption target)
    {
        if (DropsWrites)
            return false;
        _stale[bucket] = (Seen(bucket), LaggingReads);
        _buckets[bucket] = target;
        return true;
    }
}
