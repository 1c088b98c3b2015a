using System.CommandLine;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Output;
using BucketEncryptionOperator.Planning;
using BucketEncryptionOperator.Vendors.Catalog;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>plan</c>: what the operator would do with the buckets of policies in files, before anything is applied:
/// docs/commands.md. It reads buckets and writes nothing.
/// </summary>
internal static class PlanCommand
{
    private const string Name = "plan";

    private static readonly Option<string[]> Files = new("--filename", "-f")
    {
        Description =
            "File or folder with policies and stores, as kubectl apply takes them; - is stdin. Repeat it for more.",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<bool> Recursive = new("--recursive", "-R")
    {
        Description = "Read folders in folders too.",
    };
    private static readonly Option<string> Namespace = new("--namespace", "-n")
    {
        Description = "Namespace of objects that name none.",
        DefaultValueFactory = _ => "default",
    };
    private static readonly Option<string[]> StoreKeys = new(StoreKeyPairs.Option)
    {
        Description =
            "STORE=env (the variables of the vendor's tools) or STORE=file:PATH (a file in ossutil's form): the key "
            + "for a store of the files. No other store gets a request. Repeat it for more.",
    };
    private static readonly Option<OutputFormat> Format = new("--output", "-o")
    {
        Description = "table, json, yaml, markdown or github.",
        DefaultValueFactory = _ => OutputFormat.Table,
    };

    public static Command Build(Func<string, string?> environment, TimeProvider time)
    {
        var command = new Command(
            Name,
            "Show what the operator would do with the buckets of policies in files. Exit code 0: nothing; 2: changes; "
                + "1: errors."
        )
        {
            Files,
            Recursive,
            Namespace,
            StoreKeys,
            Format,
        };
        OperatorFlags.AddTo(command);
        CommandConsole.SetAction(
            command,
            environment,
            (parsed, console, token) => RunAsync(parsed, console, environment, time, token)
        );
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed,
        CommandConsole console,
        Func<string, string?> environment,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var flags = OperatorFlags.Read(parsed);
        var ns = parsed.GetValue(Namespace) ?? "";
        var files = new ManifestLoader(ns, Console.In).Load(parsed.GetValue(Files) ?? [], parsed.GetValue(Recursive));
        var keys = await KeysOfAsync(parsed, files, console, environment);
        using var services = new OfflineServices(
            flags.Allowed,
            flags.Options.VendorTimeout,
            EnvironmentProxy.Read(environment),
            time
        );
        var stores = new OfflineStores(
            OfflineObjects.StoresOf(files, flags.Stores),
            flags.Allowed,
            keys.KeyOf,
            VendorCatalog.All.ToDictionary(v => v.Name, StringComparer.Ordinal)
        );
        var rows = await console.WithProgressAsync(
            "Reading buckets",
            (show, _) =>
                new FilePlanner(
                    stores,
                    services.Vendors,
                    new KeyQuestions(services.KeyServices),
                    time,
                    p => show(p.Read, p.Known)
                ).PlanAsync(files.Policies, cancellationToken)
        );
        var report = PlanReport.Of(files, rows);
        await new PlanOutput(console).WriteAsync(parsed.GetValue(Format), report, files, rows);
        return report.ExitCode;
    }

    /// <summary>A store that is not found may be in a file that cannot be read: that is said first.</summary>
    private static async Task<StoreKeyPairs> KeysOfAsync(
        ParseResult parsed,
        ManifestSet files,
        CommandConsole console,
        Func<string, string?> environment
    )
    {
        try
        {
            return new StoreKeyPairs(
                parsed.GetValue(StoreKeys) ?? [],
                parsed.GetValue(Namespace) ?? "",
                StoresIn(files),
                environment
            );
        }
        catch (UsageException)
        {
            foreach (var problem in files.Problems)
                await console.ErrorLineAsync(problem.ToString());
            throw;
        }
    }

    private static HashSet<NamespacedName> StoresIn(ManifestSet files) =>
        [.. files.Stores.Select(s => s.Key), .. files.ClusterStores.Select(s => s.Key)];
}
