using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using k8s.Authentication;

namespace KubeRuntime.Client;

/// <summary>Where the API server is, how it proves who it is, and how we prove who we are.</summary>
public sealed record KubeConnection(Uri Server)
{
    /// <summary>Roots that the server's certificate must chain to; empty means the system's.</summary>
    public Renewable<X509Certificate2Collection> CertificateAuthorities { get; init; } =
        Renewable.Of<X509Certificate2Collection>([]);

    /// <summary>
    /// Name to expect in the server's certificate, and to send in SNI and Host, instead of the host of
    /// <see cref="Server"/>.
    /// </summary>
    public string? TlsServerName { get; init; }

    public Renewable<X509Certificate2>? ClientCertificate { get; init; }
    public BearerToken? Token { get; init; }

    /// <summary>Gives token or client certificate where the connection has none of its own.</summary>
    public ExecPlugin? Plugin { get; init; }

    /// <summary>Null: requests are made as who authenticates.</summary>
    public Impersonation? Impersonation { get; init; }

    /// <summary>Null: the server is reached without a proxy, whatever the environment says.</summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>A connection that was silent for so long is asked whether it lives …</summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// … and is given up, with all that waits on it, when no answer has come after so long. The sum of both bounds how
    /// long a silent death goes unnoticed.
    /// </summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The namespace of the pod that the connection is for; null outside of one.</summary>
    public string? PodNamespace { get; init; }

    /// <summary>The namespace that the kubeconfig's context names; null where it names none.</summary>
    public string? ContextNamespace { get; init; }

    /// <summary>Where the connection was read from, for logs.</summary>
    public string Origin { get; init; } = "";

    /// <summary>
    /// Redacted: a record's own form would print the token's type today, and its text after some later change.
    /// </summary>
    public override string ToString() => $"{Server} ({Origin})";

    /// <summary>The client certificate to use now; null for none.</summary>
    internal async ValueTask<X509Certificate2?> CertificateAsync(CancellationToken cancellationToken)
    {
        if (ClientCertificate is { } own)
            return own.Current;
        return Plugin is null ? null : (await Plugin.GetAsync(cancellationToken)).Certificate;
    }

    /// <summary>
    /// The server did not take what was sent as proof: the next request looks whether there is another.
    /// </summary>
    internal void DoubtIdentity()
    {
        Token?.Doubt();
        ClientCertificate?.Doubt();
        Plugin?.Doubt();
    }

    /// <summary>The token to use now, as the library asks for it.</summary>
    internal sealed class TokenProvider(KubeConnection connection) : ITokenProvider
    {
        public async Task<AuthenticationHeaderValue?> GetAuthenticationHeaderAsync(CancellationToken cancellationToken)
        {
            var token =
                connection.Token is { } own ? own.Current
                : connection.Plugin is { } plugin ? (await plugin.GetAsync(cancellationToken)).Token
                : null;
            return token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        }
    }
}
