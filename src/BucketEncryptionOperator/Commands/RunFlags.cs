using System.Collections.Immutable;
using System.CommandLine;
using BucketEncryptionOperator.Hosting;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// The flags of <c>run</c>, in the order of its help. A new flag is one entry here and one row in docs/flags.md. Those
/// with a name are flags of other commands too.
/// </summary>
internal static class RunFlags
{
    public static Flag AllowedEndpoints { get; } =
        Flag.List(
            "--allowed-endpoints",
            "Endpoints that stores may use, as [scheme://]host[:port]; * stands for a part of a label. Repeat the "
                + "flag, or separate them by commas. Plain http must be listed with its scheme.",
            "the vendors' own (docs/vendors)",
            o => o.AllowedEndpoints,
            (o, patterns) => o.AllowedEndpoints = patterns
        );

    public static Flag Partitions { get; } =
        Flag.List(
            "--partitions",
            "Host names that lead to the same buckets, as NAME=host[:port]; * stands for a part of a label. Repeat "
                + "the flag, or separate them by commas.",
            "all hosts of a vendor are one partition, and any other endpoint is a partition of its own",
            o => o.Partitions,
            (o, names) => o.Partitions = names
        );

    public static Flag Ambient { get; } =
        Flag.Switch(
            "--ambient-credentials-in-namespaced-stores",
            "Let a BucketStore use the operator's own identities (rrsa, ecsRamRole, webIdentity, podIdentity) too, not "
                + "only a ClusterBucketStore. Who may write a BucketStore can then do everything that these identities "
                + "may.",
            (o, on) => o.AmbientCredentialsInNamespacedStores = on
        );

    public static Flag AssumableRoles { get; } =
        Flag.List(
            "--assumable-roles",
            "ARNs of the roles that the operator's own identities assume for a BucketStore; {namespace} stands for its "
                + "namespace. Repeat the flag, or separate them by commas. A ClusterBucketStore may have any assumed.",
            "none",
            o => o.AssumableRoles,
            (o, roles) => o.AssumableRoles = roles
        );

    public static Flag TokenAudiences { get; } =
        Flag.List(
            "--token-audiences",
            "Audience of the tokens that a vendor's token service gets for serviceAccountRef, as VENDOR=AUDIENCE. "
                + "Repeat the flag, or separate them by commas. Those of the API server are refused, two for one "
                + "vendor, and one for two.",
            "the vendors' own: " + string.Join(", ", TokenAudienceFlag.Defaults),
            o => o.TokenAudiences,
            (o, audiences) => o.TokenAudiences = audiences
        );

    public static Flag TokenService { get; } =
        Flag.Optional<string>(
            "--sts-endpoint",
            "https://host[:port] of the security token service, for private clouds.",
            "the vendors' own",
            (o, endpoint) => o.TokenServiceEndpoint = endpoint
        );

    public static Flag Metadata { get; } =
        Flag.Optional<string>(
            "--metadata-endpoint",
            "For tests: http://127.0.0.1:port in place of the instance metadata.",
            "http://100.100.100.200",
            (o, endpoint) => o.MetadataEndpoint = endpoint
        );

    public static Flag VendorTimeout { get; } =
        Flag.Seconds(
            "--vendor-timeout",
            "Seconds for one vendor request; half of them for its connection.",
            o => o.VendorTimeout,
            (o, time) => o.VendorTimeout = time
        );

    public static Flag Kubeconfig { get; } =
        Flag.Optional<string>(
            "--kubeconfig",
            "Path of a kubeconfig.",
            "$KUBECONFIG, then the pod's own account, then ~/.kube/config",
            (o, path) => o.Kubeconfig = path
        );

    public static Flag Context { get; } =
        Flag.Optional<string>(
            "--context",
            "Context of the kubeconfig.",
            "its current-context",
            (o, name) => o.KubeconfigContext = name
        );

    public static Flag LeaseNamespace { get; } =
        Flag.Of(
            "--lease-namespace",
            "Namespace of the Lease.",
            o => o.LeaseNamespace,
            (o, ns) => o.LeaseNamespace = ns
        );

    public static Flag LeaseName { get; } =
        Flag.Of(
            "--lease-name",
            "Name of the Lease: one per installation.",
            o => o.LeaseName,
            (o, name) => o.LeaseName = name
        );

    public static Flag ClusterResourceNamespace { get; } =
        Flag.Optional<string>(
            "--cluster-resource-namespace",
            "Namespace of the Secrets that ClusterBucketStores name.",
            "the pod's own, and outside of a pod --lease-namespace",
            (o, ns) => o.ClusterResourceNamespace = ns
        );

    public static ImmutableArray<Flag> All { get; } =
    [
        Kubeconfig,
        Context,
        // Empty names stay, and are refused: --watch-namespaces "$UNSET" must not mean all.
        Flag.List(
            "--watch-namespaces",
            "Namespaces to work in. Repeat the flag, or separate them by commas. No right is needed outside of them.",
            "all",
            o => o.WatchNamespaces,
            (o, names) => o.WatchNamespaces = [.. names.Distinct(StringComparer.Ordinal)],
            StringSplitOptions.TrimEntries
        ),
        Flag.Optional<bool?>(
            "--cluster-stores",
            "Serve ClusterBucketStores, which needs rights in the whole cluster.",
            "true, but false with --watch-namespaces",
            (o, serve) => o.ClusterStores = serve
        ),
        ClusterResourceNamespace,
        AllowedEndpoints,
        Partitions,
        Flag.Of(
            "--key-checks",
            "Ask the vendors' key services whether KMS keys can be used, about once an hour and key.",
            o => o.KeyChecks,
            (o, on) => o.KeyChecks = on,
            "true"
        ),
        Ambient,
        AssumableRoles,
        TokenAudiences,
        TokenService,
        Metadata,
        Flag.Of(
            "--workers",
            "Maximum number of policies in work at a time. A namespace or an endpoint has at most half of them while "
                + "others wait.",
            o => o.Workers,
            (o, count) => o.Workers = count
        ),
        Flag.Of(
            "--bucket-concurrency",
            "Maximum number of buckets of one policy in work at a time.",
            o => o.BucketConcurrency,
            (o, count) => o.BucketConcurrency = count
        ),
        VendorTimeout,
        Flag.Seconds(
            "--drain-timeout",
            "Seconds that running work may take after a stop was requested.",
            o => o.DrainTimeout,
            (o, time) => o.DrainTimeout = time
        ),
        Flag.Switch(
            "--leader-elect",
            "Work only while holding a Lease, so that a second replica can stand by. Without it, run exactly one "
                + "replica.",
            (o, on) => o.LeaderElect = on
        ),
        LeaseNamespace,
        LeaseName,
        Flag.Seconds(
            "--lease-duration",
            "Seconds until a standby replaces a leader that has crashed. A leader that cannot renew for two thirds of "
                + "it stops.",
            o => o.LeaseDuration,
            (o, time) => o.LeaseDuration = time
        ),
        Flag.Switch(
            "--read-only",
            "Write to no vendor, whatever policies say. Statuses show what would be sent.",
            (o, on) => o.ReadOnly = on
        ),
        Flag.Minutes(
            "--evidence-interval",
            "Maximum age of a settled policy's lastVerifiedTime, in minutes.",
            o => o.EvidenceInterval,
            (o, time) => o.EvidenceInterval = time
        ),
        Flag.Of(
            "--http-address",
            "host:port of /livez, /readyz and /metrics.",
            o => o.HttpAddress,
            (o, address) => o.HttpAddress = address
        ),
        Flag.Switch(
            "--metrics-per-bucket",
            "Add metrics that name policies and buckets: a series per bucket. For small installations.",
            (o, on) => o.MetricsPerBucket = on
        ),
        Flag.Of("--log-format", "json or plain.", o => o.LogFormat, (o, format) => o.LogFormat = format, "json"),
        Flag.Of(
            "--log-level",
            "Least level to log: Trace, Debug, Information, Warning, Error, Critical or None.",
            o => o.LogLevel,
            (o, level) => o.LogLevel = level
        ),
        Flag.Optional<string>(
            "--admin-address",
            "Loopback address and port of /loglevel: GET returns and PUT changes the least level to log.",
            "none",
            (o, address) => o.AdminAddress = address
        ),
    ];

    public static void Fill(OperatorOptions options, ParseResult parsed)
    {
        foreach (var flag in All)
            flag.Set(options, parsed);
    }
}
