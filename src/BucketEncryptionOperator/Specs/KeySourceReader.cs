using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Specs;

/// <summary>
/// What the operator's administrator lets stores of namespaces do with the operator's own identities.
/// </summary>
/// <param name="InNamespacedStores">Whether they may use them as they are.</param>
/// <param name="AssumableRoles">
/// ARNs of the roles that they may have assumed, with <c>{namespace}</c> for the store's.
/// </param>
internal sealed record AmbientRules(bool InNamespacedStores, ImmutableArray<string> AssumableRoles)
{
    /// <summary>In a listed role: the store's namespace.</summary>
    public const string Namespace = "{namespace}";

    public static AmbientRules None { get; } = new(InNamespacedStores: false, []);

    public bool MayAssume(string roleArn, string ns) =>
        AssumableRoles.Any(r => r.Replace(Namespace, ns, StringComparison.Ordinal) == roleArn);
}

/// <summary>
/// Turns a store's <c>credentials</c> into the source of its keys. The platform team decides what the operator's own
/// identities may do; a tenant could use them for buckets that are not the tenant's. So only a cluster-scoped store may
/// use them, unless a flag allows it. The same holds for roles that trust these identities: a tenant who may name any
/// role would get every role that trusts the operator (the confused deputy). So a store of a namespace has a role
/// assumed by the operator only if a flag lists the role, and then with an external id that names the store.
/// </summary>
internal sealed class KeySourceReader(AmbientRules rules)
{
    /// <param name="subject">The store, for messages.</param>
    public Result<KeySource> Read(string subject, BucketStoreSpec spec, StoreScope scope)
    {
        var given = spec.Credentials.Sources();
        if (given.Count != 1)
            return Wrong(
                Reasons.InvalidSpec,
                "spec.credentials: name exactly one of secretRef, serviceAccountRef, rrsa, ecsRamRole, webIdentity and "
                    + $"podIdentity; {(given.Count == 0 ? "none is" : string.Join(" and ", given) + " are")} given."
            );
        foreach (var field in spec.Credentials.Fields())
        {
            if (StoreSpecMapping.OnlyFor.TryGetValue(field, out var vendors) && !vendors.Contains(spec.Vendor))
                return Wrong(
                    Reasons.InvalidSpec,
                    $"spec.credentials.{field}: goes only with vendor {string.Join(" or ", vendors)}, and the vendor "
                        + $"is {spec.Vendor}."
                );
        }
        if (RoleProblem(spec.Credentials, scope) is { } problem)
            return Wrong(Reasons.InvalidSpec, problem);
        var source = spec.KeySource(scope) ?? throw new InvalidOperationException("one is given, and none found");
        if (!scope.IsNamespaced || source.Parts.Last() is not KeySource.FromIdentity { Identity: AmbientIdentity })
            return new Result<KeySource>(source, Failure: null);
        if (!spec.Credentials.AssumeRole.IsEmpty)
            return Lent(spec.Credentials.AssumeRole, scope) is { } refusal
                ? Wrong(refusal.Reason, refusal.Message, refusal.Hint)
                : new Result<KeySource>(source, Failure: null);
        return rules.InNamespacedStores
            ? new Result<KeySource>(source, Failure: null)
            : Wrong(
                Reasons.AmbientNotAllowed,
                $"spec.credentials.{given[0]}: the operator's own identity is not for a store of a namespace.",
                "Use secretRef or serviceAccountRef, or a ClusterBucketStore; or ask the operator's administrator for "
                    + "--ambient-credentials-in-namespaced-stores."
            );

        Result<KeySource> Wrong(FailureReason reason, string message, string? hint = null) =>
            new(
                Value: null,
                new Failure(reason, StoreReader.ReadStore) { Message = $"{subject}, {message}", Hint = hint }
            );
    }

    private static string? RoleProblem(CredentialsSpec credentials, StoreScope scope)
    {
        if (credentials.ServiceAccountRef is not null && !scope.IsNamespaced)
            return "spec.credentials.serviceAccountRef: a ServiceAccount is one of the store's namespace, and a "
                + $"{ApiResources.ClusterBucketStore} has none.";
        return credentials.AssumeRole.SkipLast(1).Any(r => r.ExternalId is not null || r.SessionTags is not null)
            ? "spec.credentials.assumeRole: only the last role has externalId and sessionTags."
            : null;
    }

    /// <summary>Why the operator does not assume the roles with its own identity for a store of a namespace.</summary>
    private (FailureReason Reason, string Message, string? Hint)? Lent(
        ImmutableArray<AssumeRoleSpec> roles,
        StoreScope scope
    )
    {
        if (roles.FirstOrDefault(r => !rules.MayAssume(r.RoleArn, scope.SecretNamespace)) is { } other)
            return (
                Reasons.RoleNotAllowed,
                $"spec.credentials.assumeRole: the operator's own identity does not assume {other.RoleArn} for a store "
                    + "of this namespace.",
                "Use secretRef or serviceAccountRef, or a ClusterBucketStore; or ask the operator's administrator to "
                    + "list the role in --assumable-roles."
            );
        return roles[^1] switch
        {
            { ExternalId: not null } => (
                Reasons.InvalidSpec,
                "spec.credentials.assumeRole: with the operator's own identity, externalId is "
                    + $"\"{scope.ExternalId}\", and cannot be chosen: remove it.",
                null
            ),
            // Roles may permit by tags: a tenant who chooses them says to be another.
            { SessionTags: not null } => (
                Reasons.InvalidSpec,
                "spec.credentials.assumeRole: with the operator's own identity, sessionTags cannot be chosen: remove "
                    + "them.",
                null
            ),
            _ => null,
        };
    }
}
