using System.Collections.Immutable;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>
/// What one store can do: data that its vendor provides. <see cref="StoreRules"/> checks policies against it.
/// </summary>
/// <param name="Subject">Name of the store's vendor in messages.</param>
/// <param name="Algorithms">Values of a policy that the store accepts.</param>
/// <param name="Addressings">The first is the default.</param>
internal sealed record StoreTraits(
    string Subject,
    ImmutableArray<string> Algorithms,
    ImmutableArray<Addressing> Addressings
)
{
    /// <summary>A cipher can be chosen under a KMS key.</summary>
    public bool DataEncryption { get; init; }

    /// <summary>KMS keys are in projects.</summary>
    public bool KeyProjects { get; init; }

    public bool BucketKeys { get; init; }

    /// <summary>Encryption types can be blocked for uploads.</summary>
    public bool BlocksTypes { get; init; }

    /// <summary>
    /// Returns what is wrong with the id of a KMS key here, and the right value, without a full stop; null for a
    /// possible id.
    /// </summary>
    public Func<string, string?> ProblemOfKey { get; init; } = static _ => null;

    /// <summary>Buckets' names may have dots. They go in the path: a certificate's wildcard is for one label.</summary>
    public bool DottedNames { get; init; }

    /// <summary>Every bucket is encrypted, and a removal leaves AES256.</summary>
    public bool AlwaysEncrypted { get; init; }

    /// <summary>There is no endpoint that could be derived.</summary>
    public bool NeedsEndpoint { get; init; }

    /// <summary>
    /// Name of the space in which the vendor keeps bucket names unique, over all its endpoints. A vendor sets it where
    /// its settings say more than the endpoint's host; otherwise it follows from the host. Null: each host has its
    /// own.
    /// </summary>
    public string? Partition { get; init; }

    /// <summary>The vendor's own settings of the store, as the vendor's dialect reads them.</summary>
    public VendorOptions Options { get; init; } = VendorOptions.None;
}
