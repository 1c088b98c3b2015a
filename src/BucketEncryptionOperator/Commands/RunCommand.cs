using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Vendors.Catalog;
using KubeRuntime.Client;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace BucketEncryptionOperator.Commands;

/// <summary><c>run</c>: the operator itself.</summary>
internal static class RunCommand
{
    private static readonly OperatorOptions Defaults = new();

    /// <summary>
    /// Seconds for cancelled work to end (5), for the lease to be given back (3), and for the last events to be sent
    /// (2).
    /// </summary>
    private const int AfterDrain = 10;

    /// <summary>OpenTelemetry's own name; its SDK reads this one, and those that belong to it.</summary>
    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly Option<string?> Kubeconfig = new("--kubeconfig")
    {
        Description = "Path of a kubeconfig. Default: $KUBECONFIG, then the pod's own account, then ~/.kube/config.",
    };
    private static readonly Option<string?> Context = new("--context")
    {
        Description = "Context of the kubeconfig. Default: its current-context.",
    };
    private static readonly Option<string[]?> WatchNamespaces = new("--watch-namespaces")
    {
        Description =
            "Namespaces to work in; repeat it, or separate by commas. Default: all. No right is needed outside of "
            + "them.",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<bool?> ClusterStores = new("--cluster-stores")
    {
        Description =
            "Serve ClusterBucketStores, which needs rights in the whole cluster. Default: true, but false with "
            + "--watch-namespaces.",
    };
    private static readonly Option<string?> ClusterResourceNamespace = new("--cluster-resource-namespace")
    {
        Description =
            "Namespace of the Secrets that ClusterBucketStores name. Default: the pod's own, and outside of a pod "
            + "--lease-namespace.",
    };
    private static readonly Option<string[]> AllowedEndpoints = new("--allowed-endpoints")
    {
        Description =
            "Endpoints that stores may use, as [scheme://]host[:port], * for a part of a label; repeat it, or "
            + "separate by commas. Plain http must be listed with its scheme.",
        DefaultValueFactory = _ => [.. VendorCatalog.DefaultEndpointPatterns],
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string[]?> PartitionNames = new("--partitions")
    {
        Description =
            "Host names that lead to the same buckets, as NAME=host[:port], * for a part of a label; repeat it, or "
            + "separate by commas. Default: a vendor's hosts are one, and any other endpoint is one of its own.",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<bool> AmbientInNamespaced = new("--ambient-credentials-in-namespaced-stores")
    {
        Description =
            "Let a BucketStore use the operator's own identities (rrsa, ecsRamRole, webIdentity) too. Whoever may "
            + "write one can then do with every bucket what they can.",
    };
    private static readonly Option<string?> TokenServiceEndpoint = new("--sts-endpoint")
    {
        Description =
            "https://host[:port] of the security token service, in place of the vendor's own: private clouds.",
    };
    private static readonly Option<string?> MetadataEndpoint = new("--metadata-endpoint")
    {
        Description = "For tests: http://127.0.0.1:port in place of the instance metadata.",
    };
    private static readonly Option<int> Workers = new("--workers")
    {
        Description =
            "Policies worked on at a time; a namespace or an endpoint has at most half of them while others wait.",
        DefaultValueFactory = _ => Defaults.Workers,
    };
    private static readonly Option<int> BucketConcurrency = new("--bucket-concurrency")
    {
        Description = "Buckets of one policy worked on at a time.",
        DefaultValueFactory = _ => Defaults.BucketConcurrency,
    };
    private static readonly Option<int> VendorTimeout = new("--vendor-timeout")
    {
        Description = "Seconds for one vendor request; half of them for its connection.",
        DefaultValueFactory = _ => (int)Defaults.VendorTimeout.TotalSeconds,
    };
    private static readonly Option<int> DrainTimeout = new("--drain-timeout")
    {
        Description = "Seconds that running work may take after a stop was asked for.",
        DefaultValueFactory = _ => (int)Defaults.DrainTimeout.TotalSeconds,
    };
    private static readonly Option<bool> LeaderElect = new("--leader-elect")
    {
        Description =
            "Work only while holding a Lease, so that a second replica can stand by. Without it, run exactly one.",
    };
    private static readonly Option<string> LeaseNamespace = new("--lease-namespace")
    {
        Description = "Namespace of the Lease.",
        DefaultValueFactory = _ => Defaults.LeaseNamespace,
    };
    private static readonly Option<string> LeaseName = new("--lease-name")
    {
        Description = "Name of the Lease: one for each installation.",
        DefaultValueFactory = _ => Defaults.LeaseName,
    };
    private static readonly Option<int> LeaseDuration = new("--lease-duration")
    {
        Description =
            "Seconds that a crashed leader is waited for; a leader that cannot renew for two thirds of it stops.",
        DefaultValueFactory = _ => (int)Defaults.LeaseDuration.TotalSeconds,
    };
    private static readonly Option<bool> ReadOnly = new("--read-only")
    {
        Description = "Write to no vendor, whatever policies say; statuses tell what would be sent.",
    };
    private static readonly Option<int> EvidenceInterval = new("--evidence-interval")
    {
        Description = "Minutes that the lastVerifiedTime of a settled policy may be old.",
        DefaultValueFactory = _ => (int)Defaults.EvidenceInterval.TotalMinutes,
    };
    private static readonly Option<string> HttpAddress = new("--http-address")
    {
        Description = "host:port of /livez, /readyz and /metrics.",
        DefaultValueFactory = _ => Defaults.HttpAddress,
    };
    private static readonly Option<bool> MetricsPerBucket = new("--metrics-per-bucket")
    {
        Description = "Add metrics that name policies and buckets: a series for each. For small installations.",
    };
    private static readonly Option<LogFormat> LogFormatOption = new("--log-format")
    {
        Description = "json or plain.",
        DefaultValueFactory = _ => Defaults.LogFormat,
    };
    private static readonly Option<string?> AdminAddress = new("--admin-address")
    {
        Description =
            "Loopback address and port of /loglevel, where GET tells and PUT changes the least level to log. Default: "
            + "none.",
    };
    private static readonly Option<LogLevel> LogLevelOption = new("--log-level")
    {
        Description = "Least level to log.",
        DefaultValueFactory = _ => Defaults.LogLevel,
    };

    public static Command Build()
    {
        var command = new Command("run", "Run the operator.")
        {
            Kubeconfig,
            Context,
            WatchNamespaces,
            ClusterStores,
            ClusterResourceNamespace,
            AllowedEndpoints,
            PartitionNames,
            AmbientInNamespaced,
            TokenServiceEndpoint,
            MetadataEndpoint,
            Workers,
            BucketConcurrency,
            VendorTimeout,
            DrainTimeout,
            LeaderElect,
            LeaseNamespace,
            LeaseName,
            LeaseDuration,
            ReadOnly,
            EvidenceInterval,
            HttpAddress,
            MetricsPerBucket,
            LogFormatOption,
            LogLevelOption,
            AdminAddress,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        try
        {
            // For every client of the process that is not told otherwise: vendors, token services, the OTLP exporter.
            HttpClient.DefaultProxy = EnvironmentProxy.Read(Environment.GetEnvironmentVariable);
            var connection = KubeConfig.Load(
                parsed.GetValue(Kubeconfig),
                parsed.GetValue(Context),
                Environment.GetEnvironmentVariable,
                TimeProvider.System
            );
            var roots = Task.Run(ReadSystemRoots, CancellationToken.None);
            await using var app = Compose(parsed, connection);
            await Task.WhenAll(app.RunAsync(cancellationToken), roots);
            return Environment.ExitCode;
        }
        catch (Exception e)
            when (e is KubeConfigException or ProxyFormatException or OptionsValidationException or IOException)
        {
            await Console.Error.WriteLineAsync($"bucket-encryption-operator: {e.Message}");
            return 1;
        }
    }

    /// <summary>
    /// Makes the runtime read the system's root certificates, once for the process. It would do so within the first TLS
    /// handshake, whatever that trusts, and takes half the time of the start for it. Here another core reads them while
    /// the host starts. A failure is left to the first handshake that needs a root.
    /// </summary>
    private static void ReadSystemRoots()
    {
        try
        {
            using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
            foreach (var root in store.Certificates)
                root.Dispose();
        }
        catch (CryptographicException)
        {
            // There is no such store, or it cannot be read.
        }
    }

    private static WebApplication Compose(ParseResult parsed, KubeConnection connection)
    {
        // Not the slim builder: it reads appsettings.json of the working directory, and watches all files below it.
        // In a container that is the whole file system. The environment is read for the OTEL_ variables.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddEnvironmentVariables();
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<OperatorOptions>(options => Fill(options, parsed));
        builder.Services.Configure<HostOptions>(options =>
            options.ShutdownTimeout = TimeSpan.FromSeconds(parsed.GetValue(DrainTimeout) + AfterDrain)
        );
        builder.Services.AddOperator(connection, sendOtlp: !string.IsNullOrEmpty(builder.Configuration[OtlpEndpoint]));
        builder.Services.AddRoutingCore();
        var admin = parsed.GetValue(AdminAddress);
        builder.WebHost.UseUrls([
            "http://" + parsed.GetValue(HttpAddress),
            .. admin is null ? [] : (string[])["http://" + admin],
        ]);
        var levels = new LogLevels(parsed.GetValue(LogLevelOption));
        AddLogging(builder.Logging, parsed.GetValue(LogFormatOption), levels);
        var app = builder.Build();
        // A bad flag is said here in one line, before the host logs it with a stack
        _ = app.Services.GetRequiredService<OperatorOptions>();
        app.MapMetrics();
        app.MapProbes();
        if (admin is not null)
            app.MapLogLevel(new Uri("http://" + admin).Port, levels, app.Logger);
        app.Lifetime.ApplicationStarted.Register(() => Log.Probes(app.Logger, string.Join(", ", app.Urls)));
        return app;
    }

    private static void Fill(OperatorOptions options, ParseResult parsed)
    {
        // An empty name stays, and is refused: --watch-namespaces "$UNSET" must not mean all.
        options.WatchNamespaces =
        [
            .. (parsed.GetValue(WatchNamespaces) ?? [])
                .SelectMany(ns => ns.Split(',', StringSplitOptions.TrimEntries))
                .Distinct(StringComparer.Ordinal),
        ];
        options.ClusterStores = parsed.GetValue(ClusterStores);
        options.ClusterResourceNamespace = parsed.GetValue(ClusterResourceNamespace);
        options.AllowedEndpoints =
        [
            .. (parsed.GetValue(AllowedEndpoints) ?? []).SelectMany(e =>
                e.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            ),
        ];
        options.Partitions =
        [
            .. (parsed.GetValue(PartitionNames) ?? []).SelectMany(e =>
                e.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            ),
        ];
        options.AmbientCredentialsInNamespacedStores = parsed.GetValue(AmbientInNamespaced);
        options.TokenServiceEndpoint = parsed.GetValue(TokenServiceEndpoint);
        options.MetadataEndpoint = parsed.GetValue(MetadataEndpoint);
        options.Workers = parsed.GetValue(Workers);
        options.BucketConcurrency = parsed.GetValue(BucketConcurrency);
        options.VendorTimeout = TimeSpan.FromSeconds(parsed.GetValue(VendorTimeout));
        options.DrainTimeout = TimeSpan.FromSeconds(parsed.GetValue(DrainTimeout));
        options.LeaderElect = parsed.GetValue(LeaderElect);
        options.LeaseNamespace = parsed.GetValue(LeaseNamespace) ?? "";
        options.LeaseName = parsed.GetValue(LeaseName) ?? "";
        options.LeaseDuration = TimeSpan.FromSeconds(parsed.GetValue(LeaseDuration));
        options.ReadOnly = parsed.GetValue(ReadOnly);
        options.EvidenceInterval = TimeSpan.FromMinutes(parsed.GetValue(EvidenceInterval));
        options.HttpAddress = parsed.GetValue(HttpAddress) ?? "";
        options.AdminAddress = parsed.GetValue(AdminAddress);
        options.MetricsPerBucket = parsed.GetValue(MetricsPerBucket);
    }

    private static void AddLogging(ILoggingBuilder logging, LogFormat format, LogLevels levels)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace); // which of them, the filter says: it may change its mind
        logging.AddFilter(levels.LetsThrough);
        logging.Configure(options =>
            options.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId
        );
        if (format == LogFormat.Json)
        {
            logging.AddJsonConsole(options =>
            {
                options.IncludeScopes = true;
                options.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
                options.UseUtcTimestamp = true;
            });
            return;
        }
        logging.AddSimpleConsole(options =>
        {
            options.IncludeScopes = true;
            options.SingleLine = true;
            options.TimestampFormat = "HH:mm:ss.fff ";
            options.UseUtcTimestamp = true;
            options.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    }
}
