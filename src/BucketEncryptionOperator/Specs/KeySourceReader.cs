using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Specs;

/// <summary>Where a store belongs.</summary>
/// <param name="SecretNamespace">Namespace of the Secret.</param>
/// <param name="IsNamespaced">
/// Whether the store is namespaced, so that a tenant may have written it; otherwise it is cluster-scoped.
/// </param>
internal sealed record StoreScope(string SecretNamespace, bool IsNamespaced);

/// <summary>
/// Turns a store's <c>credentials</c> into the source of its keys. The platform team decides what the operator's own
/// identities may do; a tenant could use them for buckets that are not the tenant's. So only a cluster-scoped store may
/// use them, unless a flag allows it.
/// </summary>
internal sealed class KeySourceReader(bool ambientInNamespacedStores)
{
    /// <param name="subject">The store, for messages.</param>
    public Result<KeySource> Read(string subject, BucketStoreSpec spec, StoreScope scope)
    {
        var given = spec.Credentials.Fields();
        if (given.Count != 1)
            return Wrong(
                Reasons.InvalidSpec,
                "spec.credentials: name exactly one of secretRef, rrsa, ecsRamRole and webIdentity; "
                    + $"{(given.Count == 0 ? "none is" : string.Join(" and ", given) + " are")} given."
            );
        if (StoreSpecMapping.OnlyFor.TryGetValue(given[0], out var vendor) && vendor != spec.Vendor)
            return Wrong(
                Reasons.InvalidSpec,
                $"spec.credentials.{given[0]}: goes only with vendor {vendor}, and the vendor is {spec.Vendor}."
            );
        return spec.Credentials.Source(scope.SecretNamespace, spec.Region) switch
        {
            KeySource.FromIdentity when scope.IsNamespaced && !ambientInNamespacedStores => Wrong(
                Reasons.AmbientNotAllowed,
                $"spec.credentials.{given[0]}: the operator's own identity is not for a store of a namespace.",
                "Use secretRef, or a ClusterBucketStore; or ask the operator's administrator for "
                    + "--ambient-credentials-in-namespaced-stores."
            ),
            { } source => new Result<KeySource>(source, Failure: null),
            null => throw new InvalidOperationException("one is given, and none found"),
        };

        Result<KeySource> Wrong(FailureReason reason, string message, string? hint = null) =>
            new(
                Value: null,
                new Failure(reason, StoreReader.ReadStore) { Message = $"{subject}, {message}", Hint = hint }
            );
    }
}
