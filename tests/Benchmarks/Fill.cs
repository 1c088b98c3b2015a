using System.Text;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using k8s;
using KubeRuntime.Client;

namespace Benchmarks;

/// <summary>
/// Creates and changes the policies that are measured; policy 3 has the buckets bench-3-0, bench-3-1 and so on.
/// </summary>
internal sealed class Fill(string kubeconfig)
{
    private const int AtATime = 64;

    /// <param name="namespaces">The policies take turns among these.</param>
    public Task<int> CreateAsync(int policies, int buckets, string[] namespaces, CancellationToken cancellationToken) =>
        EachAsync(
            policies,
            (client, i, token) =>
                client.CallAsync(
                    "POST policies",
                    k =>
                        k.CustomObjects.CreateNamespacedCustomObjectAsync(
                            JsonElement.Parse(Policy(i, buckets)),
                            ApiResources.Group,
                            ApiResources.Version,
                            namespaces[i % namespaces.Length],
                            ApiResources.Policies.Plural,
                            cancellationToken: token
                        ),
                    token
                ),
            cancellationToken
        );

    /// <summary>Gives the first policies another key, so that their buckets must be written again.</summary>
    public Task<int> ChangeAsync(int policies, string ns, string key, CancellationToken cancellationToken) =>
        EachAsync(
            policies,
            (client, i, token) =>
                client.PatchAsync(
                    ApiResources.Policies,
                    new NamespacedName(ns, $"bench-{i}"),
                    Encoding.UTF8.GetBytes($$$"""{"spec":{"encryption":{"kmsKey":{"id":"{{{key}}}"} } } }"""),
                    token
                ),
            cancellationToken
        );

    private async Task<int> EachAsync(
        int policies,
        Func<KubeClient, int, CancellationToken, Task> act,
        CancellationToken cancellationToken
    )
    {
        using var client = Cluster.Connect(kubeconfig);
        await Parallel.ForAsync(
            0,
            policies,
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken },
            async (i, token) => await act(client, i, token)
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
