using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KubeRuntime.Client;

/// <summary>
/// The connection could not be made from what was given. The message names the file, the entry and what to do.
/// </summary>
public sealed class KubeConfigException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Reads a connection from kubeconfig files or from the files that a pod is given.
/// Order, as kubectl's and client-go's: an explicit path; $KUBECONFIG (several files, the first to name an entry wins);
/// in-cluster; ~/.kube/config.
/// </summary>
public static class KubeConfig
{
    private const string ServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>Names another folder with a pod's files, for a process that stands in for a pod elsewhere.</summary>
    private const string FolderVariable = "KUBERNETES_SERVICE_ACCOUNT_FOLDER";

    /// <param name="path">Value of --kubeconfig, or null.</param>
    /// <param name="context">Value of --context, or null for the file's current-context.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <exception cref="KubeConfigException">Nothing usable was found.</exception>
    /// <exception cref="ProxyFormatException">The environment names a proxy that cannot be used.</exception>
    public static KubeConnection Load(
        string? path,
        string? context,
        Func<string, string?> environment,
        TimeProvider time
    )
    {
        const StringSplitOptions Trimmed = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        if (path is { Length: > 0 })
            return Behind(FromFiles([path], context, environment, time), environment);
        if (environment("KUBECONFIG") is { Length: > 0 } list)
            return Behind(FromFiles(list.Split(Path.PathSeparator, Trimmed), context, environment, time), environment);
        if (environment("KUBERNETES_SERVICE_HOST") is { Length: > 0 } host)
            return InCluster(
                host,
                environment("KUBERNETES_SERVICE_PORT") ?? "443",
                environment(FolderVariable) ?? ServiceAccountFolder,
                time
            );
        var home = Path.Combine(environment("HOME") ?? "", ".kube", "config");
        return File.Exists(home)
            ? Behind(FromFiles([home], context, environment, time), environment)
            : throw new KubeConfigException(
                $"no Kubernetes connection: not in a cluster, and neither --kubeconfig, $KUBECONFIG nor {home} names "
                    + "a file"
            );
    }

    /// <summary>
    /// A kubeconfig's proxy-url is for its server, as with kubectl. Without it the environment's proxies count, but not
    /// for the server of the cluster that this process runs in: they are there for the way out of it.
    /// </summary>
    private static KubeConnection Behind(KubeConnection connection, Func<string, string?> environment) =>
        connection.Proxy is not null || IsOwnCluster(connection.Server, environment("KUBERNETES_SERVICE_HOST"))
            ? connection
            : connection with
            {
                Proxy = EnvironmentProxy.Read(environment),
            };

    private static bool IsOwnCluster(Uri server, string? serviceHost)
    {
        if (string.IsNullOrEmpty(serviceHost))
            return false;
        var host = server.IdnHost.TrimEnd('.');
        if (IPAddress.TryParse(host, out var address))
            return IPAddress.TryParse(serviceHost, out var service) && address.Equals(service);
        return host.Equals(serviceHost, StringComparison.OrdinalIgnoreCase)
            || host is "kubernetes" or "kubernetes.default" or "kubernetes.default.svc"
            || host.StartsWith("kubernetes.default.svc.", StringComparison.Ordinal);
    }

    /// <summary>The connection of a pod: service host, projected token and CA. It never has a proxy.</summary>
    internal static KubeConnection InCluster(string host, string port, string folder, TimeProvider time)
    {
        var where = $"{folder} (in-cluster)";
        var name = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        if (!Uri.TryCreate($"https://{name}:{port}", UriKind.Absolute, out var server) || server.AbsolutePath != "/")
            throw new KubeConfigException(
                $"{where}: $KUBERNETES_SERVICE_HOST \"{host}\" and $KUBERNETES_SERVICE_PORT \"{port}\" make no address"
            );
        return Guarded(
            where,
            () =>
                new KubeConnection(server)
                {
                    CertificateAuthorities = Authorities(
                        where,
                        () => File.ReadAllText(Path.Combine(folder, "ca.crt")),
                        time
                    ),
                    Token = Token(where, () => BearerToken.FromFile(Path.Combine(folder, "token"), time)),
                    PodNamespace =
                        Path.Combine(folder, "namespace") is var file
                        && File.Exists(file)
                        && File.ReadAllText(file).Trim() is { Length: > 0 } ns
                            ? ns
                            : null,
                    Origin = "in-cluster",
                }
        );
    }

    internal static KubeConnection FromFiles(
        IReadOnlyList<string> paths,
        string? context,
        Func<string, string?> environment,
        TimeProvider time
    )
    {
        var files = paths.Where(File.Exists).Select(Read).ToList();
        if (files.Count == 0)
            throw new KubeConfigException($"kubeconfig {string.Join(", ", paths)}: no such file");

        var all = string.Join(Path.PathSeparator, paths);
        var contextName =
            context
            ?? files.Select(f => ConfigFile.Text(f.Root, "current-context")).FirstOrDefault(c => c is { Length: > 0 })
            ?? throw new KubeConfigException($"kubeconfig {all}: no current-context, name one with --context");
        var (contextFile, contextNode) = Find(files, "contexts", contextName, "context", all);
        var clusterName =
            ConfigFile.Text(contextNode, "cluster")
            ?? throw new KubeConfigException($"kubeconfig {all}: context \"{contextName}\" names no cluster");
        var (clusterFile, cluster) = Find(files, "clusters", clusterName, "cluster", all);
        var connection = ReadCluster(clusterFile, cluster, clusterName, time) with
        {
            Origin = $"{all}, context {contextName}",
            ContextNamespace = ConfigFile.Text(contextNode, "namespace"),
        };
        if (ConfigFile.Text(contextNode, "user") is not { Length: > 0 } userName)
            return connection;
        var (userFile, user) = Find(files, "users", userName, "user", all);
        return ReadUser(connection, userFile, user, userName, contextName, (clusterFile, cluster), environment, time);
    }

    private static KubeConnection ReadCluster(ConfigFile file, YamlMappingNode cluster, string name, TimeProvider time)
    {
        var where = $"kubeconfig {file.Path}, cluster \"{name}\"";
        var server = ConfigFile.Text(cluster, "server");
        if (!Uri.TryCreate(server, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
            throw new KubeConfigException($"{where}: server \"{server}\" is not an http or https URL");
        if (uri.UserInfo.Length > 0)
            throw new KubeConfigException(
                $"{where}: a user or password in the server's URL is not supported, use a client certificate, token "
                    + "or tokenFile"
            );
        if (
            string.Equals(
                ConfigFile.Text(cluster, "insecure-skip-tls-verify"),
                "true",
                StringComparison.OrdinalIgnoreCase
            )
        )
            throw new KubeConfigException(
                $"{where}: insecure-skip-tls-verify is not supported, give certificate-authority-data"
            );
        var proxy = ConfigFile.Text(cluster, "proxy-url") is { } proxyUrl ? Proxy(where, proxyUrl) : null;
        return Guarded(
            where,
            () =>
            {
                var name = ConfigFile.Text(cluster, "tls-server-name");
                var connection = new KubeConnection(uri) { TlsServerName = name, Proxy = proxy };
                return file.Pem(where, cluster, "certificate-authority") is { } pem
                    ? connection with
                    {
                        CertificateAuthorities = Authorities(where, pem, time),
                    }
                    : connection;
            }
        );
    }

    private static KubeConnection ReadUser(
        KubeConnection connection,
        ConfigFile file,
        YamlMappingNode user,
        string name,
        string context,
        (ConfigFile File, YamlMappingNode Node) cluster,
        Func<string, string?> environment,
        TimeProvider time
    )
    {
        var where = $"kubeconfig {file.Path}, user \"{name}\"";
        foreach (var unsupported in (string[])["auth-provider", "username"])
        {
            if (ConfigFile.Has(user, unsupported))
                throw new KubeConfigException(
                    $"{where}: {unsupported} is not supported, use exec, a client certificate, token or tokenFile"
                );
        }
        return Guarded(
            where,
            () =>
            {
                var certificate = file.Pem(where, user, "client-certificate");
                var key = file.Pem(where, user, "client-key");
                if (certificate is null != key is null)
                    throw new KubeConfigException($"{where}: client-certificate and client-key go together, give both");
                return connection with
                {
                    Impersonation = Impersonate(where, user),
                    Plugin = ConfigFile.Mapping(user, "exec") is { } exec
                        ? KubeConfigExec.Read(file, $"{where}, context \"{context}\"", exec, cluster, environment, time)
                        : null,
                    ClientCertificate =
                        certificate is null || key is null ? null : ClientCertificate(where, certificate, key, time),
                    Token =
                        ConfigFile.Text(user, "tokenFile") is { Length: > 0 } tokenFile
                            ? Token(where, () => BearerToken.FromFile(file.Resolve(tokenFile), time))
                        : ConfigFile.Text(user, "token") is { Length: > 0 } token
                            ? Token(where, () => BearerToken.FromText(token))
                        : null,
                };
            }
        );
    }

    private static Impersonation? Impersonate(string where, YamlMappingNode user)
    {
        var uid = ConfigFile.Text(user, "as-uid");
        var groups = ConfigFile.List(user, "as-groups");
        var extra = ConfigFile.Mapping(user, "as-user-extra");
        if (ConfigFile.Text(user, "as") is { } name)
        {
            return new Impersonation(name)
            {
                Uid = uid,
                Groups = [.. groups],
                Extra = extra is null
                    ? []
                    :
                    [
                        .. extra
                            .Children.Keys.OfType<YamlScalarNode>()
                            .Select(k => k.Value ?? "")
                            .SelectMany(key =>
                                ConfigFile.List(extra, key).Select(value => KeyValuePair.Create(key, value))
                            ),
                    ],
            };
        }
        return uid is null && groups.Count == 0 && extra is null
            ? null
            : throw new KubeConfigException($"{where}: as-uid, as-groups and as-user-extra need as");
    }

    private static (ConfigFile File, YamlMappingNode Node) Find(
        List<ConfigFile> files,
        string section,
        string name,
        string field,
        string all
    )
    {
        foreach (var file in files)
        {
            if (file.Entry(section, name, field) is { } node)
                return (file, node);
        }
        throw new KubeConfigException($"kubeconfig {all}: no entry \"{name}\" in {section}");
    }

    private static ConfigFile Read(string path) =>
        Guarded(
            $"kubeconfig {path}",
            () =>
            {
                var yaml = new YamlStream();
                yaml.Load(new StringReader(File.ReadAllText(path)));
                return yaml.Documents is [{ RootNode: YamlMappingNode root }, ..]
                    ? new ConfigFile(path, root)
                    : throw new KubeConfigException($"kubeconfig {path}: not a YAML mapping");
            }
        );

    private static T Guarded<T>(string where, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or YamlException
                        or ArgumentException
                        or InvalidOperationException
            )
        {
            // The exception's own text may quote what it read (YAML does): its place is enough, and safe.
            var problem = e switch
            {
                IOException or UnauthorizedAccessException => e.Message,
                YamlException y => $"not valid YAML at line {y.Start.Line}",
                _ => "not valid YAML",
            };
            throw new KubeConfigException($"{where}: {problem}");
        }
    }

    private static Renewable<X509Certificate2Collection> Authorities(
        string where,
        Func<string> read,
        TimeProvider time
    ) =>
        Renewable.From<X509Certificate2Collection>(
            read,
            pem =>
            {
                var certificates = new X509Certificate2Collection();
                try
                {
                    certificates.ImportFromPem(pem);
                }
                catch (CryptographicException)
                {
                    certificates.Clear();
                }
                return certificates.Count > 0
                    ? certificates
                    : throw new KubeConfigException(
                        $"{where}: the certificate authority is not PEM, give at least one CERTIFICATE block"
                    );
            },
            time
        );

    /// <summary>
    /// Certificate and key as one text: one file may be replaced a moment before the other, and then the two do not
    /// belong together.
    /// </summary>
    private static Renewable<X509Certificate2> ClientCertificate(
        string where,
        Func<string> certificate,
        Func<string> key,
        TimeProvider time
    ) =>
        Renewable.From<X509Certificate2>(
            () => certificate() + "\n" + key(),
            pem =>
            {
                try
                {
                    return X509Certificate2.CreateFromPem(pem, pem);
                }
                catch (Exception e) when (e is CryptographicException or ArgumentException)
                {
                    throw new KubeConfigException(
                        $"{where}: client-certificate and client-key are not PEM, or do not belong together, or the "
                            + "key is encrypted"
                    );
                }
            },
            time
        );

    private static WebProxy Proxy(string where, string text)
    {
        try
        {
            return EnvironmentProxy.Parse(text, $"{where}: proxy-url");
        }
        catch (ProxyFormatException e)
        {
            throw new KubeConfigException(e.Message);
        }
    }

    private static BearerToken Token(string where, Func<BearerToken> read)
    {
        try
        {
            return read();
        }
        catch (FormatException)
        {
            throw new KubeConfigException($"{where}: the token is empty or is not one line of plain characters");
        }
    }
}
