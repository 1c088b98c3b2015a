using KubeRuntime.Client;

namespace Benchmarks;

internal static class Cluster
{
    public static KubeClient Connect(string kubeconfig) =>
        new(
            KubeConfig.Load(kubeconfig, context: null, Environment.GetEnvironmentVariable, TimeProvider.System),
            "benchmarks/1.0",
            TimeProvider.System
        );
}
