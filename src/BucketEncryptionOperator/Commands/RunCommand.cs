using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BucketEncryptionOperator.Hosting;
using KubeRuntime.Client;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace BucketEncryptionOperator.Commands;

/// <summary><c>run</c>: the operator itself.</summary>
internal static class RunCommand
{
    public const string Name = "run";

    /// <summary>
    /// Time for cancelled work to end (5 s), for the lease to be released (3 s), and for the last events to be sent (2
    /// s).
    /// </summary>
    private static readonly TimeSpan AfterDrain = TimeSpan.FromSeconds(10);

    /// <summary>The variable of OpenTelemetry's SDK, which reads it and those that belong to it.</summary>
    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static Command Build()
    {
        var command = new Command(Name, "Run the operator.");
        foreach (var flag in RunFlags.All)
            command.Options.Add(flag.Option);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var roots = Task.Run(ReadSystemRoots, CancellationToken.None);
        var options = new OperatorOptions();
        RunFlags.Fill(options, parsed);
        try
        {
            // For every client of the process that is not told otherwise: vendors, token services, the OTLP exporter.
            HttpClient.DefaultProxy = EnvironmentProxy.Read(Environment.GetEnvironmentVariable);
            var connection = KubeConfig.Load(
                options.Kubeconfig,
                options.KubeconfigContext,
                Environment.GetEnvironmentVariable,
                TimeProvider.System
            );
            await using var app = Compose(options, parsed, connection);
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
    /// Makes the runtime read the system's root certificates, once per process. It would do so in the first TLS
    /// handshake, whichever roots that trusts, and takes half of the start's time for it. Here another core reads them
    /// while the host starts. A failure is left to the first handshake that needs a root.
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

    internal static WebApplication Compose(OperatorOptions options, ParseResult parsed, KubeConnection connection)
    {
        // Not the slim builder: it reads appsettings.json of the working directory, and watches all files below it.
        // In a container that is the whole file system. The environment is read for the OTEL_ variables.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddEnvironmentVariables();
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<OperatorOptions>(o => RunFlags.Fill(o, parsed));
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = options.DrainTimeout + AfterDrain);
        builder.Services.AddOperator(connection, sendOtlp: !string.IsNullOrEmpty(builder.Configuration[OtlpEndpoint]));
        builder.Services.AddRoutingCore();
        var admin = options.AdminAddress;
        builder.WebHost.UseUrls([
            "http://" + options.HttpAddress,
            .. admin is null ? [] : (string[])["http://" + admin],
        ]);
        var levels = new LogLevels(options.LogLevel);
        AddLogging(builder.Logging, options.LogFormat, levels);
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

    private static void AddLogging(ILoggingBuilder logging, LogFormat format, LogLevels levels)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace); // which of them, the filter says: it may change its mind
        logging.AddFilter(levels.IsEnabled);
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
