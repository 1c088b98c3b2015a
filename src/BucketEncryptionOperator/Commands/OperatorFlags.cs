using System.CommandLine;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// The flags of a command that works as the operator would, without one. They have the operator's names and meaning.
/// </summary>
internal sealed class OperatorFlags
{
    private static readonly Flag[] Flags =
    [
        RunFlags.AllowedEndpoints,
        RunFlags.Partitions,
        RunFlags.Ambient,
        RunFlags.AssumableRoles,
        RunFlags.VendorTimeout,
    ];

    private OperatorFlags(OperatorOptions options)
    {
        Options = options;
        Allowed = new EndpointAllowList(options.AllowedEndpoints, VendorCatalog.Endpoints);
        Stores = new StoreReader(
            Allowed,
            new Partitions(options.Partitions),
            new KeySourceReader(
                new AmbientRules(options.AmbientCredentialsInNamespacedStores, [.. options.AssumableRoles])
            )
        );
    }

    public OperatorOptions Options { get; }

    public EndpointAllowList Allowed { get; }

    public StoreReader Stores { get; }

    public static void AddTo(Command command)
    {
        foreach (var flag in Flags)
            command.Options.Add(flag.Option);
    }

    /// <exception cref="UsageException">A value is invalid.</exception>
    public static OperatorFlags Read(ParseResult parsed)
    {
        var options = new OperatorOptions();
        foreach (var flag in Flags)
            flag.Set(options, parsed);
        var checkedOptions = new OperatorOptionsRules().Validate(name: null, options);
        return checkedOptions.Failed
            ? throw new UsageException(string.Join("; ", checkedOptions.Failures))
            : new OperatorFlags(options);
    }
}
