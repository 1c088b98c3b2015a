namespace Integration.Tests.Harness;

/// <summary>A built-in kind that tests of the client alone can use: nothing in the server reacts to it.</summary>
internal static class Leases
{
    public static string Yaml(string ns, string name) =>
        $$"""
            apiVersion: coordination.k8s.io/v1
            kind: Lease
            metadata: {name: {{name}}, namespace: {{ns}} }
            spec: {}
            """;
}
