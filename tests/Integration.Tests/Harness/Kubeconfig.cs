namespace Integration.Tests.Harness;

/// <summary>A kubeconfig with a bearer token, in a folder of its own.</summary>
internal sealed class Kubeconfig : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beo-kubeconfig-").FullName;

    public string Path => System.IO.Path.Combine(_folder, "config");

    public static async Task<Kubeconfig> WriteAsync(ApiServer server, string token)
    {
        var config = new Kubeconfig();
        await File.WriteAllTextAsync(System.IO.Path.Combine(config._folder, "ca.crt"), await server.AuthorityAsync());
        await File.WriteAllTextAsync(
            config.Path,
            $$$"""
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "{{{server.Url}}}", certificate-authority: ca.crt}}]
            users: [{name: u, user: {token: {{{token}}}}}]
            """
        );
        return config;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
