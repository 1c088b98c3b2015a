using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Output;
using BucketEncryptionOperator.Planning;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Catalog;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>doctor</c>: whether everything that the operator needs is there, a line per check: docs/commands.md. It changes
/// nothing.
/// </summary>
internal static class DoctorCommand
{
    private static readonly ImmutableArray<string> Columns = ["RESULT", "SUBJECT", "CHECK", "MESSAGE", "HINT"];

    private static readonly Option<string?> StoreName = new("--store")
    {
        Description = "NAME of a BucketStore, or /NAME of a ClusterBucketStore, in the cluster.",
    };
    private static readonly Option<string[]?> Files = new("--filename", "-f")
    {
        Description = "File or folder with stores and policies, without a cluster; - is stdin. Repeat it for more.",
    };
    private static readonly Option<string[]> StoreKeys = new(StoreKeyPairs.Option)
    {
        Description =
            "STORE=env or STORE=file:PATH: the key for a store. Default with --store: as the operator finds it.",
    };
    private static readonly Option<string?> Namespace = new("--namespace", "-n")
    {
        Description = "Namespace of the store. Default: the context's.",
    };
    private static readonly Option<OutputFormat> Format = new("--output", "-o")
    {
        Description = "table, json, yaml or markdown.",
        DefaultValueFactory = _ => OutputFormat.Table,
    };

    public static Command Build(Func<string, string?> environment, TimeProvider time)
    {
        var command = new Command(
            "doctor",
            "Check whether everything that the operator needs is there. Exit code 0: all is well; 2: warnings; 1: "
                + "something failed."
        )
        {
            StoreName,
            Files,
            StoreKeys,
            Namespace,
            Format,
            RunFlags.Kubeconfig.Option,
            RunFlags.Context.Option,
            RunFlags.LeaseNamespace.Option,
            RunFlags.LeaseName.Option,
            RunFlags.ClusterResourceNamespace.Option,
            RunFlags.TokenAudiences.Option,
            RunFlags.TokenService.Option,
            RunFlags.Metadata.Option,
        };
        OperatorFlags.AddTo(command);
        CommandConsole.SetAction(
            command,
            environment,
            async (parsed, console, cancellationToken) =>
            {
                var checks = await new Examination(parsed, environment, time).RunAsync(cancellationToken);
                await WriteAsync(console, parsed.GetValue(Format), checks);
                return checks.Any(c => c.Result == CheckResult.Failed) ? 1
                    : checks.Any(c => c.Result == CheckResult.Warning) ? 2
                    : 0;
            }
        );
        return command;
    }

    private static async Task WriteAsync(CommandConsole console, OutputFormat format, IReadOnlyList<Check> checks)
    {
        var report = new DoctorReport { Checks = [.. checks.Select(DoctorRow.Of)] };
        switch (format)
        {
            case OutputFormat.Table:
                await console.WriteTableAsync(TableOf(checks));
                break;
            case OutputFormat.Markdown:
                await console.Output.WriteAsync(TableOf(checks).ToMarkdown());
                break;
            case OutputFormat.Json:
                await console.WriteLineAsync(JsonSerializer.Serialize(report, DoctorJsonContext.Default.DoctorReport));
                break;
            case OutputFormat.Yaml:
                var json = JsonSerializer.SerializeToElement(report, DoctorJsonContext.Default.DoctorReport);
                await console.Output.WriteAsync(YamlText.Of(json));
                break;
            default:
                throw new UsageException("--output must be table, json, yaml or markdown");
        }
    }

    private static TextTable TableOf(IReadOnlyList<Check> checks) =>
        new(
            Columns,
            [
                .. checks.Select(c =>
                    (ImmutableArray<TableCell>)
                        [
                            new TableCell(DoctorRow.WordOf(c.Result), ToneOf(c.Result)),
                            c.Subject,
                            c.Name,
                            c.Message,
                            c.Hint,
                        ]
                ),
            ]
        );

    private static CellTone ToneOf(CheckResult result) =>
        result switch
        {
            CheckResult.Ok => CellTone.Good,
            CheckResult.Warning => CellTone.Changed,
            CheckResult.Failed => CellTone.Bad,
            _ => CellTone.Plain,
        };

    /// <summary>One run of the command.</summary>
    private sealed class Examination(ParseResult parsed, Func<string, string?> environment, TimeProvider time)
    {
        private readonly OperatorFlags _flags = OperatorFlags.Read(parsed);
        private readonly EnvironmentProxy _proxy = EnvironmentProxy.Read(environment);

        public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken)
        {
            if (parsed.GetValue(Files) is { Length: > 0 } files)
                return parsed.GetValue(StoreName) is null
                    ? await OfFilesAsync(files, cancellationToken)
                    : throw new UsageException("give --store or --filename, not both");
            using var cluster = ClusterTarget.Connect(parsed, environment, time);
            var options = new OperatorOptions();
            RunFlags.LeaseNamespace.Set(options, parsed);
            RunFlags.LeaseName.Set(options, parsed);
            RunFlags.ClusterResourceNamespace.Set(options, parsed);
            RunFlags.TokenAudiences.Set(options, parsed);
            RunFlags.TokenService.Set(options, parsed);
            RunFlags.Metadata.Set(options, parsed);
            var lease = new NamespacedName(options.LeaseNamespace, options.LeaseName);
            var checks = await ClusterChecks.RunAsync(cluster.Client, lease, time, cancellationToken);
            if (parsed.GetValue(StoreName) is not { } store)
                return checks;
            var name = store.StartsWith('/')
                ? new NamespacedName("", store[1..])
                : new NamespacedName(parsed.GetValue(Namespace) ?? cluster.Namespace, store);
            using var keys = new OperatorKeys(cluster.Client, cluster.Connection, options, time);
            var stores = await DoctorStores.ReadAsync(
                cluster.Client,
                name,
                options.ClusterResourceNamespace ?? options.LeaseNamespace,
                new StoreKeySource(_flags.Stores, keys.Stores),
                cancellationToken
            );
            if (parsed.GetValue(StoreKeys) is { Length: > 0 } pairs)
                stores = stores with
                {
                    KeyOf = new StoreKeyPairs(
                        pairs,
                        name.Namespace,
                        new HashSet<NamespacedName> { name },
                        environment
                    ).KeyOf,
                };
            return [.. checks, .. await OfStoresAsync(stores, cancellationToken)];
        }

        private async Task<IReadOnlyList<Check>> OfFilesAsync(string[] files, CancellationToken cancellationToken)
        {
            var ns = parsed.GetValue(Namespace) ?? "default";
            var set = new ManifestLoader(ns, Console.In).Load(files, isRecursive: false);
            var names = set.Stores.Select(s => s.Key).Concat(set.ClusterStores.Select(s => s.Key)).ToHashSet();
            var keys = new StoreKeyPairs(parsed.GetValue(StoreKeys) ?? [], ns, names, environment);
            var problems = set.Problems.Select(p => new Check("files", "manifest", CheckResult.Failed, p.ToString()));
            return [.. problems, .. await OfStoresAsync(new DoctorStores(set, keys.KeyOf), cancellationToken)];
        }

        private async Task<IReadOnlyList<Check>> OfStoresAsync(DoctorStores given, CancellationToken cancellationToken)
        {
            using var services = new OfflineServices(_flags.Allowed, _flags.Options.VendorTimeout, _proxy, time);
            var stores = new OfflineStores(
                OfflineObjects.StoresOf(given.Objects, _flags.Stores),
                _flags.Allowed,
                given.KeyOf,
                VendorCatalog.All.ToDictionary(v => v.Name, StringComparer.Ordinal)
            );
            var way = new StoreChecks(_flags.Allowed, services.Http, services.Vendors, _proxy, time);
            var questions = new KeyQuestions(services.KeyServices);
            var planner = new FilePlanner(stores, services.Vendors, questions, time, _ => { });
            var checks = new List<Check>();
            foreach (var (name, read) in ReadAll(given.Objects, stores))
            {
                var subject = name.Namespace.Length == 0 ? $"/{name.Name}" : name.ToString();
                if (read.Value is not { } store)
                {
                    checks.Add(
                        Check.Of(subject, "store", read.Failure ?? throw new InvalidOperationException("no reason"))
                    );
                    continue;
                }
                var key = stores.KeyOf(name, store);
                checks.AddRange(await way.CheckAsync(subject, store, key, cancellationToken));
                if (
                    key.Value is { } accessKey
                    && !checks.Exists(c => c.Subject == subject && c.Result == CheckResult.Failed)
                )
                {
                    var rows = await planner.PlanAsync(
                        [.. given.Objects.Policies.Where(p => OfflineStores.NameOf(p.Object) == name)],
                        cancellationToken
                    );
                    checks.AddRange(rows.Select(OfBucket));
                    checks.AddRange(
                        await new KeyServiceChecks(questions).CheckAsync(
                            subject,
                            store,
                            accessKey,
                            rows,
                            cancellationToken
                        )
                    );
                }
                checks.AddRange(StoreChecks.NotChecked(subject));
            }
            // A policy whose store is not there fails; without this, nobody would look at it
            var known = ReadAll(given.Objects, stores).Select(s => s.Name).ToHashSet();
            var lost = given.Objects.Policies.Where(p => !known.Contains(OfflineStores.NameOf(p.Object)));
            checks.AddRange((await planner.PlanAsync([.. lost], cancellationToken)).Select(OfBucket));
            return checks;
        }

        private static IEnumerable<(NamespacedName Name, Result<Store> Read)> ReadAll(
            ManifestSet set,
            OfflineStores stores
        ) =>
            [
                .. set.Stores.Select(s => (s.Key, stores.Read(s.Object))),
                .. set.ClusterStores.Select(s => (s.Key, stores.Read(s.Object))),
            ];

        private static Check OfBucket(PlanRow row)
        {
            var subject = $"{row.Policy.Key}";
            var name = row.Bucket.Length == 0 ? "policy" : $"bucket {row.Bucket}";
            return row switch
            {
                { Action: PlanAction.Error, Why: { } why } => Check.Of(subject, name, why),
                { Action: PlanAction.Suspended } => new Check(
                    subject,
                    name,
                    CheckResult.NotChecked,
                    "the policy is suspended"
                ),
                { Bucket: "" } => new Check(subject, name, CheckResult.Ok, "it selects no bucket now"),
                _ => new Check(subject, name, CheckResult.Ok, $"it can be read: {row.Observed}"),
            };
        }
    }
}

/// <summary>The checks for machines. Its fields are a promise (docs/commands.md).</summary>
internal sealed record DoctorReport
{
    public required ImmutableArray<DoctorRow> Checks { get; init; }
}

internal sealed record DoctorRow
{
    public required string Result { get; init; }

    public required string Subject { get; init; }

    public required string Check { get; init; }

    public required string Message { get; init; }

    public string? Hint { get; init; }

    public static DoctorRow Of(Check check) =>
        new()
        {
            Result = WordOf(check.Result),
            Subject = check.Subject,
            Check = check.Name,
            Message = check.Message,
            Hint = check.Hint.Length == 0 ? null : check.Hint,
        };

    public static string WordOf(CheckResult result) =>
        result switch
        {
            CheckResult.Ok => "ok",
            CheckResult.Warning => "warning",
            CheckResult.Failed => "failed",
            CheckResult.NotChecked => "notChecked",
            _ => throw new InvalidOperationException($"no word for {result}"),
        };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    NewLine = "\n"
)]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJsonContext : JsonSerializerContext;
