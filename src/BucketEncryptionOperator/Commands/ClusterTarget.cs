using System.Collections.Immutable;
using System.CommandLine;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Hosting;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// Which policies of a cluster a command is about: by name, by label, or all; in one namespace or in all of them.
/// </summary>
internal static class ClusterTarget
{
    /// <summary>Objects per page of a list.</summary>
    private const int PageSize = 250;

    private static readonly Argument<string[]> Names = new("name")
    {
        Description = "Names of policies.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private static readonly Option<string?> Namespace = new("--namespace", "-n")
    {
        Description = "Namespace of the policies. Default: the context's.",
    };
    private static readonly Option<bool> AllNamespaces = new("--all-namespaces", "-A")
    {
        Description = "Policies of all namespaces.",
    };
    private static readonly Option<string?> Selector = new("--selector", "-l")
    {
        Description = "Labels of the policies, as kubectl takes them.",
    };
    private static readonly Option<bool> All = new("--all") { Description = "All policies." };

    /// <param name="mustSay">The command changes policies: all of them must be asked for with --all.</param>
    public static void AddTo(Command command, bool mustSay = false)
    {
        command.Arguments.Add(Names);
        command.Options.Add(Namespace);
        command.Options.Add(AllNamespaces);
        command.Options.Add(Selector);
        if (mustSay)
            command.Options.Add(All);
        command.Options.Add(RunFlags.Kubeconfig.Option);
        command.Options.Add(RunFlags.Context.Option);
    }

    /// <summary>Connects as kubectl does.</summary>
    /// <exception cref="KubeConfigException">There is no connection.</exception>
    public static ClusterConnection Connect(ParseResult parsed, Func<string, string?> environment, TimeProvider time)
    {
        var options = new OperatorOptions();
        RunFlags.Kubeconfig.Set(options, parsed);
        RunFlags.Context.Set(options, parsed);
        var connection = KubeConfig.Load(options.Kubeconfig, options.KubeconfigContext, environment, time);
        return new ClusterConnection(new KubeClient(connection, Services.Product, time), connection);
    }

    /// <summary>Lists the policies that are meant, in the order of their names.</summary>
    /// <exception cref="UsageException">It is not said which, or one does not exist.</exception>
    /// <exception cref="KubeApiException">They cannot be listed.</exception>
    public static async Task<ImmutableArray<BucketEncryptionPolicy>> ListAsync(
        ParseResult parsed,
        ClusterConnection cluster,
        CancellationToken cancellationToken
    )
    {
        var names = parsed.GetValue(Names) ?? [];
        var label = parsed.GetValue(Selector) ?? "";
        if (parsed.CommandResult.Command.Options.Contains(All) && names.Length == 0 && label.Length == 0)
        {
            if (!parsed.GetValue(All))
                throw new UsageException("name the policies, or give --selector or --all");
        }
        var scope = ScopeOf(parsed, cluster);
        var found = await ListAsync(cluster.Client, ApiResources.Policies, scope, cancellationToken);
        if (names.FirstOrDefault(n => found.All(p => p.Metadata.Name != n)) is { } missing)
            throw new UsageException($"there is no policy {missing} in {scope.Namespace ?? "any namespace"}");
        return Meant(parsed, found);
    }

    /// <summary>Where the policies are that are meant.</summary>
    public static WatchScope ScopeOf(ParseResult parsed, ClusterConnection cluster) =>
        new(parsed.GetValue(AllNamespaces) ? null : parsed.GetValue(Namespace) ?? cluster.Namespace)
        {
            LabelSelector = parsed.GetValue(Selector) ?? "",
        };

    /// <summary>Returns the policies of the scope that are meant, in the order of their names.</summary>
    public static ImmutableArray<BucketEncryptionPolicy> Meant(
        ParseResult parsed,
        ImmutableArray<BucketEncryptionPolicy> found
    )
    {
        var names = parsed.GetValue(Names) ?? [];
        return
        [
            .. found
                .Where(p => names.Length == 0 || names.Contains(p.Metadata.Name, StringComparer.Ordinal))
                .OrderBy(p => p.Metadata.Namespace, StringComparer.Ordinal)
                .ThenBy(p => p.Metadata.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>Returns what the statuses of the policies say, in their order.</summary>
    /// <exception cref="UsageException">It is not said which, or one does not exist.</exception>
    /// <exception cref="KubeApiException">They cannot be listed.</exception>
    public static async Task<ImmutableArray<StatusRow>> RowsAsync(
        ParseResult parsed,
        ClusterConnection cluster,
        CancellationToken cancellationToken
    ) =>
        await RowsAsync(
            await ListAsync(parsed, cluster, cancellationToken),
            new StoreVendors(cluster.Client),
            cancellationToken
        );

    /// <summary>Returns what the statuses of some policies say, in their order.</summary>
    /// <exception cref="KubeApiException">A store cannot be read.</exception>
    public static async Task<ImmutableArray<StatusRow>> RowsAsync(
        ImmutableArray<BucketEncryptionPolicy> policies,
        StoreVendors vendors,
        CancellationToken cancellationToken
    )
    {
        var rows = ImmutableArray.CreateBuilder<StatusRow>();
        foreach (var policy in policies)
            rows.AddRange(StatusRow.Of(policy, await vendors.OfAsync(policy, cancellationToken)));
        return rows.ToImmutable();
    }

    /// <summary>Lists all objects of a scope.</summary>
    /// <exception cref="KubeApiException">They cannot be listed.</exception>
    public static async Task<ImmutableArray<T>> ListAsync<T>(
        KubeClient client,
        KubeResource<T> resource,
        WatchScope scope,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject
    {
        var found = ImmutableArray.CreateBuilder<T>();
        string? next = null;
        do
        {
            var page = await client.ListAsync(resource, scope, PageSize, next, cancellationToken);
            found.AddRange(page.Items);
            next = page.Continue;
        } while (!string.IsNullOrEmpty(next));
        return found.ToImmutable();
    }
}

internal sealed record ClusterConnection(KubeClient Client, KubeConnection Connection) : IDisposable
{
    /// <summary>The one of the context, of the pod, or <c>default</c>.</summary>
    public string Namespace => Connection.ContextNamespace ?? Connection.PodNamespace ?? "default";

    /// <summary>The API server, as scheme://host:port.</summary>
    public string Server => Connection.Server.GetLeftPart(UriPartial.Authority);

    public void Dispose() => Client.Dispose();
}
