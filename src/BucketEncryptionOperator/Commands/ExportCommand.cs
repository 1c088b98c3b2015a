using System.Collections.Immutable;
using System.CommandLine;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Output;
using BucketEncryptionOperator.Planning;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>export</c>: policies, in mode Audit, that declare an account's buckets as they are: docs/commands.md. It reads
/// buckets and writes nothing.
/// </summary>
internal static class ExportCommand
{
    private const string Name = "export";

    private static readonly Option<string> VendorWord = new("--vendor")
    {
        Description = string.Join(", ", VendorCatalog.All.Select(v => v.Shell.Word)) + ".",
        Required = true,
    };
    private static readonly Option<string> Region = new("--region")
    {
        Description = "Region of the buckets; those in other regions are left out.",
        Required = true,
    };
    private static readonly Option<string?> Endpoint = new("--endpoint", "-e")
    {
        Description = "scheme://host[:port] of the store. Default: the vendor's for the region.",
    };
    private static readonly Option<string[]> Match = new("--match")
    {
        Description = "Pattern of bucket names; * stands for any text, ? for one character. Repeat it for more.",
        DefaultValueFactory = _ => ["*"],
    };
    private static readonly Option<string> Keys = new("--keys")
    {
        Description = "env (the variables of the vendor's tools) or file:PATH (a file in ossutil's form).",
        DefaultValueFactory = _ => CallerKey.FromEnvironment,
    };
    private static readonly Option<string?> StoreName = new("--store")
    {
        Description = "Name of the BucketStore that is written. Default: vendor and region.",
    };
    private static readonly Option<string> SecretName = new("--secret")
    {
        Description = "Name of the Secret that the BucketStore refers to.",
        DefaultValueFactory = _ => "bucket-keys",
    };
    private static readonly Option<string?> Namespace = new("--namespace", "-n")
    {
        Description = "Namespace of the objects. Default: none, as kubectl applies them.",
    };
    private static readonly Option<OutputFormat> Format = new("--output", "-o")
    {
        Description = "yaml or json.",
        DefaultValueFactory = _ => OutputFormat.Yaml,
    };

    public static Command Build(Func<string, string?> environment, TimeProvider time)
    {
        var command = new Command(
            Name,
            "Write policies, in mode Audit, that declare the buckets of an account as they are. Exit code 1: some "
                + "could not be declared."
        )
        {
            VendorWord,
            Region,
            Endpoint,
            Match,
            Keys,
            StoreName,
            SecretName,
            Namespace,
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
        var format = parsed.GetValue(Format);
        if (format is not (OutputFormat.Yaml or OutputFormat.Json))
            throw new UsageException("--output must be yaml or json");
        var flags = OperatorFlags.Read(parsed);
        var vendor = BucketRequest.VendorOf(parsed.GetValue(VendorWord) ?? "");
        var spec = SpecOf(parsed, vendor);
        var target = TargetOf(parsed, vendor, spec, flags, environment);
        using var services = new OfflineServices(
            flags.Allowed,
            flags.Options.VendorTimeout,
            EnvironmentProxy.Read(environment),
            time
        );
        var export = await console.WithProgressAsync(
            "Reading buckets",
            (show, _) =>
                new EstateExporter(services.Vendors, time, p => show(p.Read, p.Known)).ExportAsync(
                    target,
                    cancellationToken
                )
        );
        foreach (var problem in export.Problems)
            await console.WarnAsync($"{problem.Code}: {problem.Message} {problem.Hint}".TrimEnd());
        foreach (var (bucket, why) in export.Left)
            await console.WarnAsync($"{bucket} is left out: {why.Code}: {why.Message} {why.Hint}".TrimEnd());
        if (export.Policies.Length > 0)
            await console.Output.WriteAsync(ExportDocuments.Of(target.StoreName, spec, export, format));
        else if (export.Problems.IsEmpty && export.Left.IsEmpty)
            await console.WarnAsync("the account has no such bucket in this region");
        return export.Problems.IsEmpty && export.Left.IsEmpty ? 0 : 1;
    }

    private static BucketStoreSpec SpecOf(ParseResult parsed, Vendor vendor) =>
        new()
        {
            Vendor = vendor.Name,
            Region = parsed.GetValue(Region) ?? "",
            Endpoint = parsed.GetValue(Endpoint),
            Credentials = new CredentialsSpec
            {
                SecretRef = new SecretReference { Name = parsed.GetValue(SecretName) ?? "" },
            },
        };

    private static ExportTarget TargetOf(
        ParseResult parsed,
        Vendor vendor,
        BucketStoreSpec spec,
        OperatorFlags flags,
        Func<string, string?> environment
    )
    {
        var name = new NamespacedName(
            parsed.GetValue(Namespace) ?? "",
            parsed.GetValue(StoreName) ?? $"{vendor.Shell.Word}-{spec.Region}"
        );
        if (!DnsName.IsSubdomain(name.Name))
            throw new UsageException($"--store: {name.Name} cannot be the name of an object");
        if (name.Name.Length > EstateExporter.LongestStoreName)
            throw new UsageException(
                $"--store: at most {EstateExporter.LongestStoreName} characters, because policies are named after it"
            );
        if (name.Namespace.Length > 0 && !DnsName.IsLabel(name.Namespace))
            throw new UsageException($"--namespace: {name.Namespace} cannot be the name of a namespace");
        if (!DnsName.IsSubdomain(spec.Credentials.SecretRef?.Name ?? ""))
            throw new UsageException($"--secret: {spec.Credentials.SecretRef?.Name} cannot be the name of a Secret");
        var (store, problem) = flags.Stores.Read(
            "the store",
            spec,
            new StoreScope(name.Namespace, IsNamespaced: true, name.Name)
        );
        if (store is null)
            throw new UsageException($"{problem?.Message} {problem?.Hint}".TrimEnd());
        var keys = parsed.GetValue(Keys) ?? "";
        if (!CallerKey.IsSource(keys))
            throw new UsageException($"--keys must be {CallerKey.FromEnvironment} or {CallerKey.FromFile}PATH");
        ImmutableArray<string> patterns = [.. parsed.GetValue(Match) ?? []];
        if (patterns.FirstOrDefault(p => !BucketPattern.IsValid(p)) is { } bad)
            throw new UsageException($"--match: \"{bad}\" is not a pattern of bucket names");
        var selector = new BucketSelector(
            patterns,
            Excluded: [],
            ImmutableDictionary<string, string>.Empty,
            Selectable: null,
            MaxWrites: 0
        );
        return new ExportTarget(name, store, CallerKey.Read(keys, vendor, environment), selector);
    }
}
