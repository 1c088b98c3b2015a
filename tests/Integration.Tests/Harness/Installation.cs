namespace Integration.Tests.Harness;

/// <summary>The operator's own account with the rights of deploy/rbac.yaml.</summary>
internal static class Installation
{
    private const string Name = "bucket-encryption-operator";

    /// <summary>The account, as namespace:name.</summary>
    public const string Account = Name + ":" + Name;

    /// <summary>For some namespaces, as the head of the file says: no right in the whole cluster.</summary>
    public static async Task ForSomeAsync(Cluster cluster, params IEnumerable<string> namespaces)
    {
        var parts = Repository.Deployed("rbac.yaml").Split("---\n");
        var clusterWide = Assert.Single(parts, p => p.Contains("kind: ClusterRoleBinding", StringComparison.Ordinal));
        await cluster.ApplyAsync(string.Join("---\n", parts.Where(p => p != clusterWide)));
        foreach (var ns in namespaces)
            await cluster.KubectlAsync(
                "-n",
                ns,
                "create",
                "rolebinding",
                Name,
                $"--clusterrole={Name}",
                $"--serviceaccount={Account}"
            );
    }
}
