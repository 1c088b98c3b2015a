using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>A call that a vendor got: Get, Put or Delete.</summary>
internal sealed record VendorCall(string Operation, string Bucket);

/// <summary>A call as the vendor itself saw it.</summary>
/// <param name="Before">What the bucket had when the call came; null where there is no such bucket.</param>
/// <param name="After">
/// What it had when the call was done: the same as before for a read, and for a write that had no effect.
/// </param>
internal sealed record VendorReceipt(VendorCall Call, AccessKey Key, BucketEncryption? Before, BucketEncryption? After)
{
    /// <summary>
    /// What a read was answered with, which may be older; null for a write and for a read that failed.
    /// </summary>
    public BucketEncryption? Shown { get; init; }

    /// <summary>What the caller is told instead of success.</summary>
    public Failure? Failure { get; init; }
}

/// <param name="Failure">What the caller is told.</param>
/// <param name="AfterEffect">The call was carried out, and only its answer was lost.</param>
internal sealed record VendorFault(Failure Failure, bool AfterEffect = false);

/// <summary>
/// A vendor in memory that keeps the contract of <see cref="IBucketEncryptionApi"/>: buckets that exist, keys that are
/// good or not, reads that may lag behind writes, and faults at chosen calls.
/// </summary>
internal sealed class InMemoryVendor : IBucketEncryptionApi
{
    private readonly Lock _gate = new();
    private static readonly EncryptionDocument Format = new OssDialect().Document;

    /// <summary>Documents as they were put, null where nothing is configured.</summary>
    private readonly Dictionary<string, string?> _buckets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string? Old, int Reads)> _stale = new(StringComparer.Ordinal);
    private readonly List<VendorCall> _calls = [];

    /// <summary>From the number of the call, from 1, and the call; null for no fault.</summary>
    public Func<int, VendorCall, VendorFault?> Faults { get; set; } = (_, _) => null;

    /// <summary>Why a request is not sent at all, before it counts as a call; null to send it.</summary>
    public Func<Failure?> BeforeSend { get; set; } = () => null;

    /// <summary>The key that is accepted; null accepts any.</summary>
    public string? GoodSecret { get; set; }

    /// <summary>From a call and its key, what the vendor says that the key may not; null where it may.</summary>
    public Func<VendorCall, AccessKey, Failure?> Denials { get; set; } = (_, _) => null;

    /// <summary>
    /// Called with each call that the vendor has got, when its effect, if any, is there and its answer is on the way.
    /// </summary>
    public Action<VendorReceipt> Received { get; set; } = _ => { };

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

    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
                return [.. _buckets.Keys];
        }
    }

    public BucketEncryption? this[string bucket]
    {
        get
        {
            lock (_gate)
                return _buckets.TryGetValue(bucket, out var document) ? Read(document) : null;
        }
        set
        {
            lock (_gate)
            {
                if (value is null)
                    _buckets.Remove(bucket);
                else
                    _buckets[bucket] =
                        value is BucketEncryption.None ? null
                        : value is BucketEncryption.Other other ? Unknown(other)
                        : Format.Write(value, basis: null);
                _stale.Remove(bucket);
            }
        }
    }

    /// <summary>As a person or another tool would put it, behind the operator's back.</summary>
    public string? Document(string bucket)
    {
        lock (_gate)
            return _buckets[bucket];
    }

    public void SetDocument(string bucket, string? document)
    {
        lock (_gate)
            _buckets[bucket] = document;
    }

    public int Count(string operation) => Calls.Count(c => c.Operation == operation);

    public Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken) =>
        CallAsync("Get", address, key, () => Observe(Seen(address.Bucket)), cancellationToken);

    public Task<IBucketWrite> BeginWriteAsync(
        BucketAddress address,
        AccessKey key,
        CancellationToken cancellationToken
    ) => Task.FromResult<IBucketWrite>(new WriteInMemory(this, address, key));

    public string Write(BucketEncryption target, Observation basis) => Format.Write(target, basis.Document);

    public string? Repeat(Observation observed) => observed.Document is { } document ? Format.Repeat(document) : null;

    public static Failure Fail(FailureKind kind, string code, int status, string operation = "Get") =>
        new(kind, operation + "BucketEncryption", code)
        {
            HttpStatus = status,
            Message = "the vendor's words",
            RequestId = Guid.NewGuid().ToString(),
            IsVendorAnswer = !code.StartsWith("HTTP_", StringComparison.Ordinal),
            IsForeign = code.StartsWith("HTTP_", StringComparison.Ordinal),
        };

    private async Task<T> CallAsync<T>(
        string operation,
        BucketAddress address,
        AccessKey key,
        Func<T> effect,
        CancellationToken cancellationToken,
        Func<Failure?>? lastCheck = null
    )
    {
        await Task.Yield(); // callers must not rely on an answer in the same breath
        cancellationToken.ThrowIfCancellationRequested();
        if (operation != "Get")
            await WriteSlowlyAsync();
        lock (_gate)
        {
            if (BeforeSend() is { } unsent)
                throw new VendorException(unsent);
            if (lastCheck?.Invoke() is { } stop)
                throw new VendorException(stop with { NotSent = true });
            var call = new VendorCall(operation, address.Bucket);
            _calls.Add(call);
            var before = this[address.Bucket];
            var fault = Faults(_calls.Count, call);
            var failure = fault is { AfterEffect: false } ? fault.Failure : Refusal(call, key);
            var result = failure is null ? effect() : default;
            failure ??= fault?.Failure;
            Received(
                new VendorReceipt(call, key, before, this[address.Bucket])
                {
                    Shown = failure is null ? (result as Observation)?.Encryption : null,
                    Failure = failure,
                }
            );
            return failure is null && result is { } answer
                ? answer
                : throw new VendorException(failure ?? throw new InvalidOperationException(operation));
        }
    }

    private Failure? Refusal(VendorCall call, AccessKey key)
    {
        if (GoodSecret is not null && key.Secret != GoodSecret)
            return Fail(FailureKind.Denied, "SignatureDoesNotMatch", 403, call.Operation) with
            {
                ConcernsCredentials = true,
            };
        return Denials(call, key)
            ?? (
                _buckets.ContainsKey(call.Bucket)
                    ? null
                    : Fail(FailureKind.Missing, "NoSuchBucket", 404, call.Operation) with
                    {
                        Hint = "Create the bucket.",
                    }
            );
    }

    /// <summary>Long enough for another writer to come in between, if anybody lets him.</summary>
    private static async Task WriteSlowlyAsync()
    {
        for (var i = 0; i < 5; i++)
            await Task.Yield();
    }

    private string? Seen(string bucket)
    {
        if (!_stale.TryGetValue(bucket, out var stale) || stale.Reads == 0)
            return _buckets[bucket];
        _stale[bucket] = stale with { Reads = stale.Reads - 1 };
        return stale.Old;
    }

    private bool Change(string bucket, string? document)
    {
        if (DropsWrites)
            return false;
        _stale[bucket] = (Seen(bucket), LaggingReads);
        _buckets[bucket] = document;
        return true;
    }

    private static Observation Observe(string? document) => new(Read(document), document);

    private static BucketEncryption Read(string? document) =>
        document is null
            ? new BucketEncryption.None()
            : Format.Read(document) ?? throw new InvalidOperationException(document);

    private static string Unknown(BucketEncryption.Other other) =>
        Format
            .Write(new BucketEncryption.Aes256(), basis: null)
            .Replace("AES256", other.Algorithm, StringComparison.Ordinal);

    /// <summary>One read at most, then one write at most, as the contract says.</summary>
    private sealed class WriteInMemory(InMemoryVendor vendor, BucketAddress address, AccessKey key) : IBucketWrite
    {
        private bool _read;
        private bool _written;
        private bool _disposed;

        public Task<Observation> GetAsync(CancellationToken cancellationToken)
        {
            Assert.False(_read || _written || _disposed, "one read, before the write");
            _read = true;
            return vendor.GetAsync(address, key, cancellationToken);
        }

        public Task PutAsync(string document, Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            WriteAsync("Put", document, lastCheck, cancellationToken);

        public Task DeleteAsync(Func<Failure?> lastCheck, CancellationToken cancellationToken) =>
            WriteAsync("Delete", document: null, lastCheck, cancellationToken);

        public void Dispose() => _disposed = true;

        private Task WriteAsync(
            string operation,
            string? document,
            Func<Failure?> lastCheck,
            CancellationToken cancellationToken
        )
        {
            Assert.False(_written || _disposed, "one write");
            _written = true;
            return vendor.CallAsync(
                operation,
                address,
                key,
                () => vendor.Change(address.Bucket, document),
                cancellationToken,
                lastCheck
            );
        }
    }
}
