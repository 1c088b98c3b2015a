using System.Text.Json;
using System.Text.Json.Nodes;

namespace Integration.Tests.Harness;

/// <summary>What a user does with a cluster: kubectl, but for looks that are repeated until something is so.</summary>
internal sealed class Cluster(string kubeconfig)
{
    private const string Group = "/apis/bucketencryption.io/v1alpha1";

    public string Kubeconfig => kubeconfig;

    /// <summary>
    /// Installs the CRDs and the operator's account, with the lower bound of resyncInterval at 1 s in place of 30 s, so
    /// that a test sees many resyncs in seconds. Nothing else differs from what users install.
    /// </summary>
    public async Task InstallAsync()
    {
        const string Bound = "duration('30s')";
        var policies = Repository.Crd("bucketencryptionpolicies.yaml");
        Assert.Contains(Bound, policies, StringComparison.Ordinal);
        await ApplyAsync(policies.Replace(Bound, "duration('1s')", StringComparison.Ordinal));
        await ApplyAsync(Repository.Crd("bucketstores.yaml"));
        await ApplyAsync(Repository.Crd("clusterbucketstores.yaml"));
        await KubectlAsync(
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd/bucketencryptionpolicies.bucketencryption.io",
            "crd/bucketstores.bucketencryption.io",
            "crd/clusterbucketstores.bucketencryption.io"
        );
    }

    /// <returns>What kubectl printed.</returns>
    /// <exception cref="InvalidOperationException">kubectl failed; the message holds what it said.</exception>
    public async Task<string> KubectlAsync(params string[] arguments)
    {
        var (code, output) = await TryKubectlAsync(arguments);
        return code == 0
            ? output
            : throw new InvalidOperationException($"kubectl {string.Join(' ', arguments)}: {output}");
    }

    public async Task<(int Code, string Output)> TryKubectlAsync(params string[] arguments)
    {
        await using var child = Child.Start(Repository.Kubectl, ["--kubeconfig", kubeconfig, .. arguments]);
        await child.ExitAsync();
        return (child.ExitCode, child.Output);
    }

    public async Task<string> ApplyAsync(string yaml)
    {
        var (code, output) = await TryApplyAsync(yaml);
        return code == 0 ? output : throw new InvalidOperationException(output);
    }

    public async Task<(int Code, string Output)> TryApplyAsync(string yaml)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, yaml);
            return await TryKubectlAsync("apply", "-f", file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    public Task<JsonNode> PolicyAsync(string ns, string name) =>
        GetAsync($"namespaces/{ns}/bucketencryptionpolicies/{name}");

    public async Task<JsonArray> PoliciesAsync(string ns) =>
        (await GetAsync($"namespaces/{ns}/bucketencryptionpolicies"))["items"]?.AsArray() ?? throw new JsonException();

    /// <summary>Waits until the policy's Ready condition speaks of the current spec and is as wanted.</summary>
    public Task<JsonNode> WhenReadyIsAsync(
        string ns,
        string name,
        string status,
        string? reason = null,
        Func<string>? detail = null
    ) => WhenReadyIsAsync($"policy {ns}/{name}", () => PolicyAsync(ns, name), status, reason, detail);

    /// <summary>The same of a store.</summary>
    /// <param name="kind">As kubectl takes it.</param>
    public Task<JsonNode> WhenStoreReadyIsAsync(
        string kind,
        string ns,
        string name,
        string status,
        string reason,
        Func<string>? detail = null
    ) =>
        WhenReadyIsAsync(
            $"{kind} {ns}/{name}",
            () => GetAsync(kind == "clusterbucketstore" ? $"{kind}s/{name}" : $"namespaces/{ns}/{kind}s/{name}"),
            status,
            reason,
            detail
        );

    /// <summary>Opens the client again for each request: the API server may have another authority by now.</summary>
    private async Task<JsonNode> GetAsync(string path)
    {
        using var api = KubeApi.Open(kubeconfig);
        return await api.GetAsync($"{Group}/{path}") ?? throw new InvalidOperationException($"{path} is not there");
    }

    private static Task<JsonNode> WhenReadyIsAsync(
        string what,
        Func<Task<JsonNode>> get,
        string status,
        string? reason,
        Func<string>? detail
    )
    {
        JsonNode? last = null;
        return Eventually.GetAsync(
            $"{what} is Ready={status} {reason}",
            async () =>
            {
                last = await get();
                var current =
                    last["status"]?["observedGeneration"]?.GetValue<long>()
                    == last["metadata"]?["generation"]?.GetValue<long>();
                var ready = Condition(last, "Ready");
                return
                    current
                    && ready?["status"]?.GetValue<string>() == status
                    && (reason is null || ready["reason"]?.GetValue<string>() == reason)
                    ? last
                    : null;
            },
            () => $"{last?["status"]}\n{detail?.Invoke()}"
        );
    }

    public static JsonNode? Condition(JsonNode policy, string type) =>
        policy["status"]?["conditions"]?.AsArray().FirstOrDefault(c => c?["type"]?.GetValue<string>() == type);

    public static JsonNode Row(JsonNode policy, string bucket) =>
        policy["status"]?["buckets"]?.AsArray().FirstOrDefault(b => b?["name"]?.GetValue<string>() == bucket)
        ?? throw new JsonException($"no row for {bucket}");
}
