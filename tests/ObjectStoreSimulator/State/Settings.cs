using System.Collections.Immutable;

namespace ObjectStoreSimulator.State;

/// <summary>
/// Switches for what vendors do differently from place to place and from time to time. Read as one immutable value.
/// </summary>
internal sealed class Settings
{
    private volatile SettingValues _values = new();

    public SettingValues Values => _values;

    public void Set(SettingValues values) => _values = values;

    public void Clear() => _values = new();
}

internal sealed record SettingValues
{
    /// <summary>Error bodies carry the vendor's namespace, as some of OSS's do.</summary>
    public bool ErrorNamespace { get; set; }

    /// <summary>Errors have an empty body; OSS and OBS tell them in headers then.</summary>
    public bool EmptyErrorBodies { get; set; }

    /// <summary>404; OSS's GetBucketEncryption page says 400, its older pages 404.</summary>
    public int NotConfiguredStatus { get; set; } = 404;

    /// <summary>Null: the vendor's code for "no encryption configured". JD Cloud's is not known.</summary>
    public string? NotConfiguredCode { get; set; }

    /// <summary>The most buckets on a page of a list, for vendors whose lists have pages. Null: the vendor's.</summary>
    public int? ListPageSize { get; set; }

    /// <summary>Null: the vendor's code for "no tags". Older releases of Ceph have another; OSS has none.</summary>
    public string? NoTagsCode { get; set; }

    /// <summary>GET puts white space around every value, as documentation samples have it.</summary>
    public bool WhiteSpace { get; set; }

    /// <summary>GET has elements of a later release, in rule and default.</summary>
    public bool UnknownElements { get; set; }

    /// <summary>
    /// GET gives key ids in the vendor's long form (ARN; <c>region:domain:key/id</c>), however they were set.
    /// </summary>
    public bool LongKeyIds { get; set; }

    /// <summary>GET has <c>BucketKeyEnabled</c>, false where it was not set.</summary>
    public bool EchoBucketKey { get; set; }

    /// <summary>GET has its elements in the reverse order.</summary>
    public bool ReverseOrder { get; set; }

    /// <summary>GET's namespace; empty: none. Null: the vendor's.</summary>
    public string? Namespace { get; set; }

    /// <summary>Algorithms that this region offers, in the vendor's words. Null: all of the vendor's.</summary>
    public ImmutableArray<string>? Algorithms { get; set; }

    /// <summary>KMS keys that exist, for vendors that look at PUT. Null: every key exists.</summary>
    public ImmutableArray<string>? KmsKeys { get; set; }

    /// <summary>
    /// How long a GET still sees the state before a PUT or DELETE, for buckets without a lag of their own.
    /// </summary>
    public int ReadLagMs { get; set; }

    /// <summary>
    /// S3 only: the store does not know <c>?encryption</c>, and takes a request for the bucket's own, as Ceph 16 does.
    /// GET lists objects, PUT is refused, DELETE deletes the bucket.
    /// </summary>
    public bool NoEncryptionSubResource { get; set; }

    /// <summary>Added to the server's clock, in what it checks and in what it says.</summary>
    public double ClockOffsetSeconds { get; set; }

    public bool Offers(string algorithm) =>
        Algorithms is not { } offered || offered.Contains(algorithm, StringComparer.Ordinal);

    /// <summary>By the last part of its path: an id, an ARN and a long form name the same key.</summary>
    public bool HasKmsKey(string keyId) =>
        KmsKeys is not { } keys || keys.Contains(keyId[(keyId.LastIndexOf('/') + 1)..], StringComparer.Ordinal);
}
