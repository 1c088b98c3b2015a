using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// The keys that the caller gives to stores: <c>STORE=env</c>, the variables of the vendor's own tools, or
/// <c>STORE=file:PATH</c>, a file in ossutil's form. STORE is <c>NAMESPACE/NAME</c> of a BucketStore, <c>/NAME</c> of a
/// ClusterBucketStore, or <c>NAME</c> of either in the namespace of <c>--namespace</c>. A store that is not named gets
/// no key, so that nothing in a file decides where a key goes.
/// </summary>
internal sealed class StoreKeyPairs
{
    public const string Option = "--store-keys";

    /// <summary>The caller has paired no key with the store.</summary>
    public const string KeysNotGiven = "KeysNotGiven";

    /// <summary>What the caller has paired with the store is no key.</summary>
    public const string KeysInvalid = "KeysInvalid";

    private const string Step = "FindKeys";
    private readonly Dictionary<NamespacedName, string> _sources = [];
    private readonly Func<string, string?> _environment;

    /// <param name="pairs">As on the command line.</param>
    /// <param name="ns">Namespace of stores that are named without one.</param>
    /// <param name="stores">Names of all stores; cluster-scoped ones have no namespace.</param>
    /// <exception cref="UsageException" />
    public StoreKeyPairs(
        IEnumerable<string> pairs,
        string ns,
        IReadOnlySet<NamespacedName> stores,
        Func<string, string?> environment
    )
    {
        _environment = environment;
        foreach (var pair in pairs)
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at < 1 || !CallerKey.IsSource(pair[(at + 1)..]))
                throw new UsageException(
                    $"{Option}: give STORE={CallerKey.FromEnvironment} or STORE={CallerKey.FromFile}PATH"
                );
            var store = Find(pair[..at], ns, stores);
            if (!_sources.TryAdd(store, pair[(at + 1)..]))
                throw new UsageException($"{Option}: the store {store} is given more than once");
        }
    }

    /// <summary>Returns the key of a store, or why there is none.</summary>
    public Result<AccessKey> KeyOf(NamespacedName store, Vendor vendor)
    {
        if (!_sources.TryGetValue(store, out var source))
        {
            var name = store.Namespace.Length == 0 ? $"/{store.Name}" : store.ToString();
            return new(
                Value: null,
                new Failure(FailureKind.Denied, Step, KeysNotGiven)
                {
                    Message = $"No key is given to the store {store}.",
                    Hint =
                        $"Give {Option} {name}={CallerKey.FromEnvironment}, or "
                        + $"{Option} {name}={CallerKey.FromFile}PATH.",
                }
            );
        }
        try
        {
            return new(CallerKey.Read(source, vendor, _environment), Failure: null);
        }
        catch (UsageException e)
        {
            return new(
                Value: null,
                new Failure(FailureKind.Denied, Step, KeysInvalid)
                {
                    Message = $"{Option} {store}={source}: {e.Message}",
                }
            );
        }
    }

    private static NamespacedName Find(string text, string ns, IReadOnlySet<NamespacedName> stores)
    {
        NamespacedName[] meant = text.Split('/') switch
        {
            [var name] => [new(ns, name), new("", name)],
            [var space, var name] => [new(space, name)],
            _ => [],
        };
        NamespacedName[] found = [.. meant.Where(stores.Contains)];
        return found switch
        {
            [var store] => store,
            [] => throw new UsageException($"{Option}: no file has a store {text}"),
            _ => throw new UsageException(
                $"{Option}: {text} is a BucketStore and a ClusterBucketStore; write {ns}/{text} or /{text}"
            ),
        };
    }
}
