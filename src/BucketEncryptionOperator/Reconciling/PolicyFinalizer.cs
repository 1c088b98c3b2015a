using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>Keeps a policy that is being deleted until its buckets are released.</summary>
internal sealed class PolicyFinalizer(KubeClient client, ObjectCache<BucketEncryptionPolicy> policies)
{
    public const string Name = "bucketencryption.io/release";

    public static bool IsOn(BucketEncryptionPolicy policy) => Finalizers.Has(policy.Metadata, Name);

    public Task AddAsync(StoredPolicy policy, CancellationToken cancellationToken) =>
        SetAsync(policy, Finalizers.With(policy.Now.Metadata, Name), cancellationToken);

    public Task RemoveAsync(StoredPolicy policy, CancellationToken cancellationToken) =>
        SetAsync(policy, Finalizers.Without(policy.Now.Metadata, Name), cancellationToken);

    private async Task SetAsync(
        StoredPolicy policy,
        ImmutableArray<string> finalizers,
        CancellationToken cancellationToken
    )
    {
        var before = policy.Now;
        var written = await Finalizers.WriteAsync(client, ApiResources.Policies, before, finalizers, cancellationToken);
        policies.Replace(before.Metadata.ResourceVersion, written);
        policy.Replace(written);
    }
}
