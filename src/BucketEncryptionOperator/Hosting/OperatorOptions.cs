using System.Globalization;
using System.Net;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Client;
using Microsoft.Extensions.Options;

namespace BucketEncryptionOperator.Hosting;

internal enum LogFormat
{
    Json,
    Plain,
}

/// <summary>The settings of the operator. Each but <see cref="ReconcileTimeout"/> is a flag of <c>run</c>.</summary>
internal sealed class OperatorOptions
{
    /// <summary>Path of a kubeconfig. Null: $KUBECONFIG, then the pod's own account, then ~/.kube/config.</summary>
    public string? Kubeconfig { get; set; }

    /// <summary>Context of the kubeconfig. Null: its current-context.</summary>
    public string? KubeconfigContext { get; set; }

    /// <summary>Namespaces to work in, each once; empty for all.</summary>
    public IReadOnlyList<string> WatchNamespaces { get; set; } = [];

    /// <summary>
    /// Whether to serve ClusterBucketStores, which needs rights in the whole cluster. Null: only without
    /// <see cref="WatchNamespaces"/>.
    /// </summary>
    public bool? ClusterStores { get; set; }

    /// <summary>
    /// Whether stores of the cluster are served. An installation for some namespaces has no rights outside of them,
    /// unless <see cref="ClusterStores"/> says that it has.
    /// </summary>
    public bool ServesClusterStores => ClusterStores ?? WatchNamespaces.Count == 0;

    /// <summary>Namespace of the Secrets that ClusterBucketStores name. Null: the operator's own.</summary>
    public string? ClusterResourceNamespace { get; set; }

    /// <summary>Patterns of the endpoints that stores may use.</summary>
    public IReadOnlyList<string> AllowedEndpoints { get; set; } = VendorCatalog.DefaultEndpointPatterns;

    /// <summary>Host names that lead to the same buckets, as NAME=host[:port].</summary>
    public IReadOnlyList<string> Partitions { get; set; } = [];

    /// <summary>
    /// Whether namespaced stores may use the operator's own identities. Stores of the cluster always may.
    /// </summary>
    public bool AmbientCredentialsInNamespacedStores { get; set; }

    /// <summary>
    /// ARNs of the roles that the operator's own identities assume for namespaced stores, with <c>{namespace}</c> for
    /// the store's.
    /// </summary>
    public IReadOnlyList<string> AssumableRoles { get; set; } = [];

    /// <summary>
    /// The audience of the tokens of service accounts that each vendor's token service gets, as VENDOR=AUDIENCE.
    /// </summary>
    public IReadOnlyList<string> TokenAudiences { get; set; } = TokenAudienceFlag.Defaults;

    /// <summary>Replaces the vendors' security token services. Null: the vendors' own.</summary>
    public string? TokenServiceEndpoint { get; set; }

    /// <summary>Replaces the fixed address of the instance metadata. Null: that address.</summary>
    public string? MetadataEndpoint { get; set; }

    /// <summary>Maximum number of policies in work at a time.</summary>
    public int Workers { get; set; } = 4;

    /// <summary>Maximum number of buckets of one policy in work at a time.</summary>
    public int BucketConcurrency { get; set; } = 8;

    /// <summary>Whether key services are asked for the state of KMS keys.</summary>
    public bool KeyChecks { get; set; } = true;

    /// <summary>Whether no vendor is written to, whatever policies say.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>Maximum age of a settled policy's lastVerifiedTime.</summary>
    public TimeSpan EvidenceInterval { get; set; } = TimeSpan.FromHours(24);

    /// <summary>host:port of probes and metrics.</summary>
    public string HttpAddress { get; set; } = "0.0.0.0:8080";

    /// <summary>Whether there are metrics with one series per bucket, which name policy and bucket.</summary>
    public bool MetricsPerBucket { get; set; }

    public LogFormat LogFormat { get; set; } = LogFormat.Json;

    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>host:port where the log level can be changed. Null: nowhere.</summary>
    public string? AdminAddress { get; set; }

    /// <summary>Timeout of one vendor request.</summary>
    public TimeSpan VendorTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Timeout of one reconcile of a policy.</summary>
    public TimeSpan ReconcileTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Time for running reconciles to end after a stop was requested.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Whether to work only while holding a Lease, which a second replica needs. Without it the operator does not use
    /// leases, and needs no right to them.
    /// </summary>
    public bool LeaderElect { get; set; }

    public string LeaseNamespace { get; set; } = "bucket-encryption-operator";

    public string LeaseName { get; set; } = "bucket-encryption-operator";

    /// <summary>Time until a crashed leader is replaced. The other times of the election are parts of it.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);
}

/// <summary>
/// Every rule, in the words of the flags. By hand: the generated validator drops the messages of the annotations and
/// speaks of C# properties, which nobody who starts the operator knows.
/// </summary>
internal sealed class OperatorOptionsRules : IValidateOptions<OperatorOptions>
{
    private const int MostAtATime = 64;

    /// <summary>Each costs a watch of each kind.</summary>
    private const int MostNamespaces = 100;

    private static readonly TimeSpan LongestDrain = TimeSpan.FromHours(1);

    /// <summary>Shorter, and an API server that is slow for a moment ends the term.</summary>
    private static readonly TimeSpan ShortestLease = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestLease = TimeSpan.FromHours(1);

    /// <summary>Each costs a status write a policy.</summary>
    private static readonly TimeSpan ShortestEvidence = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LongestEvidence = TimeSpan.FromDays(30);

    public ValidateOptionsResult Validate(string? name, OperatorOptions options)
    {
        var problems = new List<string>();
        problems.AddRange(
            options
                .WatchNamespaces.Where(ns => !IsNamespace(ns))
                .Select(ns =>
                    $"--watch-namespaces: \"{ns}\" is not the name of a namespace; give names separated by commas, or "
                    + "leave the flag out for all namespaces"
                )
        );
        if (options.WatchNamespaces.Count > MostNamespaces)
            problems.Add(
                $"--watch-namespaces may name {MostNamespaces} namespaces, and names {options.WatchNamespaces.Count}; "
                    + "leave the flag out for all namespaces"
            );
        if (options.ClusterResourceNamespace is { } ns && !IsNamespace(ns))
            problems.Add($"--cluster-resource-namespace \"{ns}\" must be the name of a namespace");
        if (options.Workers is < 1 or > MostAtATime)
            problems.Add($"--workers must be from 1 to {MostAtATime}, and is {options.Workers}");
        if (options.BucketConcurrency is < 1 or > MostAtATime)
            problems.Add($"--bucket-concurrency must be from 1 to {MostAtATime}, and is {options.BucketConcurrency}");
        if (options.VendorTimeout <= TimeSpan.Zero || options.VendorTimeout * 2 > options.ReconcileTimeout)
            problems.Add(
                $"--vendor-timeout must be more than 0 and at most half of the {options.ReconcileTimeout} that a "
                    + "policy may take"
            );
        if (options.DrainTimeout < TimeSpan.Zero || options.DrainTimeout > LongestDrain)
            problems.Add($"--drain-timeout must be from 0 to {LongestDrain.TotalSeconds:0} seconds");
        if (!IsHostAndPort(options.HttpAddress)) // a bare word would be bound as port 80 of every interface
            problems.Add($"--http-address \"{options.HttpAddress}\" must be host:port, for example 0.0.0.0:8080");
        if (
            options.AdminAddress is { } admin
            && !(
                IsHostAndPort(admin)
                && IsOrigin("http://" + admin, out _, out var isOwn)
                && isOwn
                && new Uri("http://" + admin).Port > 0
            )
        )
            problems.Add(
                $"--admin-address \"{admin}\" must be a loopback address and a port, for example 127.0.0.1:8081: "
                    + "whoever reaches it may change what is logged"
            );
        if (!IsNamespace(options.LeaseNamespace))
            problems.Add($"--lease-namespace \"{options.LeaseNamespace}\" must be the name of a namespace");
        if (options.LeaseName.Length > DnsName.MaxSubdomain || !DnsName.IsSubdomain(options.LeaseName))
            problems.Add($"--lease-name \"{options.LeaseName}\" must be lower-case letters, digits, hyphens and dots");
        if (options.LeaseDuration < ShortestLease || options.LeaseDuration > LongestLease)
            problems.Add(
                $"--lease-duration must be from {ShortestLease.TotalSeconds:0} to {LongestLease.TotalSeconds:0} seconds"
            );
        if (options.EvidenceInterval < ShortestEvidence || options.EvidenceInterval > LongestEvidence)
            problems.Add(
                $"--evidence-interval must be from {ShortestEvidence.TotalMinutes:0} to "
                    + $"{LongestEvidence.TotalMinutes:0} minutes"
            );
        if (options.AllowedEndpoints.Count == 0)
            problems.Add("--allowed-endpoints must list at least one endpoint, or no store can be reached");
        try
        {
            _ = new EndpointAllowList(options.AllowedEndpoints, VendorCatalog.Endpoints);
        }
        catch (FormatException e)
        {
            problems.Add($"--allowed-endpoints: {e.Message}");
        }
        try
        {
            _ = new Partitions(options.Partitions);
        }
        catch (FormatException e)
        {
            problems.Add($"--partitions: {e.Message}");
        }
        problems.AddRange(
            options
                .AssumableRoles.Where(r => !IsRole(r))
                .Select(r =>
                    $"--assumable-roles: \"{r}\" is not the ARN of a role; give arn:PARTITION:iam::ACCOUNT:role/NAME "
                    + "or acs:ram::ACCOUNT:role/NAME, with {namespace} where the namespace's name is"
                )
        );
        problems.AddRange(TokenAudienceFlag.Problems(options.TokenAudiences));
        if (
            options.TokenServiceEndpoint is { } service
            && !(IsOrigin(service, out var scheme, out var isLoopback) && (scheme == Uri.UriSchemeHttps || isLoopback))
        )
            problems.Add(
                $"--sts-endpoint \"{service}\" must be https://host[:port]; plain http goes to loopback only, for "
                    + "what is sent there is a token that gives keys"
            );
        if (options.MetadataEndpoint is { } metadata && !(IsOrigin(metadata, out _, out var isHere) && isHere))
            problems.Add(
                $"--metadata-endpoint \"{metadata}\" must be http://127.0.0.1:port, for tests; without the flag it is "
                    + "the fixed address that only the instance itself can reach"
            );
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    /// <summary>An ARN has a partition in front of its service, or none.</summary>
    private static bool IsRole(string text)
    {
        var parts = text.Split(':');
        return parts is ["arn", _, "iam", "", _, _] or ["acs", "ram", "", _, _]
            && parts[^2].Length > 0
            && parts[^2].All(char.IsAsciiDigit)
            && parts[^1].StartsWith("role/", StringComparison.Ordinal)
            && parts[^1].Replace(AmbientRules.Namespace, "", StringComparison.Ordinal).All(IsOfArn);
    }

    private static bool IsOfArn(char c) =>
        char.IsAsciiLetterOrDigit(c) || c is '+' or '=' or '.' or '@' or '_' or '/' or '-';

    private static bool IsOrigin(string text, out string scheme, out bool isLoopback)
    {
        var isUri = Uri.TryCreate(text, UriKind.Absolute, out var uri);
        (scheme, isLoopback) = (
            uri?.Scheme ?? "",
            uri is not null
                && IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address)
                && IPAddress.IsLoopback(address)
        );
        return isUri && uri is { Scheme: "https" or "http", PathAndQuery: "/", UserInfo: "", Fragment: "" };
    }

    private static bool IsNamespace(string text) => text.Length <= DnsName.MaxLabel && DnsName.IsLabel(text);

    private static bool IsHostAndPort(string text) =>
        Uri.TryCreate("http://" + text, UriKind.Absolute, out var address)
        && address.PathAndQuery == "/"
        && address.UserInfo.Length == 0
        && !text.EndsWith('/')
        && ushort.TryParse(
            text.AsSpan(text.LastIndexOf(':') + 1),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out _
        )
        && text.Contains(':', StringComparison.Ordinal);
}
