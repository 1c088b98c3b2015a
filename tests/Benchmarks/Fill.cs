using System.Text.Json;
using BucketEncryptionOperator.Api;
using k8s;

namespace Benchmarks;

/// <summary>Creates the policies that are measured; policy 3 has the buckets bench-3-0, bench-3-1 and so on.</summary>
internal sealed class Fill(string kubeconfig, string ns)
{
    private const int AtATime = 64;

    public async Task<int> RunAsync(int policies, int buckets, CancellationToken cancellationToken)
    {
        using var client = Cluster.Connect(kubeconfig);
        await Parallel.ForAsync(
            0,
            policies,
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken },
            async (i, token) =>
                await client.CallAsync(
                    "POST policies",
                    k =>
                        k.CustomObjects.CreateNamespacedCustomObjectAsync(
                            JsonElement.Parse(Policy(i, buckets)),
                            ApiResources.Group,
                            ApiResources.Version,
                            ns,
                            ApiResources.Policies.Plural,
                            cancellationToken: token
                        ),
                    token
                )
        );
        return 0;
    }

    private static string Policy(int i, int buckets)
    {
        var names = string.Join(',', Enumerable.Range(0, buckets).Select(j => $$"""{"name":"bench-{{i}}-{{j}}"}"""));
        return $$$"""
            {"apiVersion":"{{{ApiResources.Group}}}/{{{ApiResources.Version}}}","kind":"BucketEncryptionPolicy",
             "metadata":{"name":"bench-{{{i}}}"},
             "spec":{"storeRef":{"name":"bench"},"buckets":[{{{names}}}],
             "encryption":{"algorithm":"KMS","kmsKey":{"id":"example-kms-key-id"} } } }
            """;
    }
}
