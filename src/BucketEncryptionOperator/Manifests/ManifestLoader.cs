using System.Collections.Immutable;
using System.IO.Enumeration;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Manifests;

/// <summary>
/// Reads what <c>kubectl apply -f</c> takes: files with several documents, JSON, lists, folders (their files that end
/// in yaml, yml and json, by name), and <c>-</c> for stdin. Each of our objects is checked as the cluster checks it. An
/// object that comes twice counts as it came last, as there.
/// </summary>
/// <param name="ns">Namespace of objects that name none.</param>
/// <param name="stdin">What <c>-</c> reads.</param>
internal sealed class ManifestLoader(string ns, TextReader stdin)
{
    /// <summary>Maximum size of a text in characters.</summary>
    private const long MaxFile = 64 * 1024 * 1024;

    private const string Stdin = "-";

    private static readonly string[] Endings = [".json", ".yaml", ".yml"];

    private readonly ImmutableDictionary<string, CustomResource> _kinds = CustomResource.LoadAll();
    private readonly Dictionary<NamespacedName, Manifest<BucketEncryptionPolicy>> _policies = [];
    private readonly Dictionary<NamespacedName, Manifest<BucketStore>> _stores = [];
    private readonly Dictionary<NamespacedName, Manifest<ClusterBucketStore>> _clusterStores = [];
    private readonly Dictionary<NamespacedName, Manifest<Namespace>> _namespaces = [];
    private readonly ImmutableArray<ManifestProblem>.Builder _problems =
        ImmutableArray.CreateBuilder<ManifestProblem>();
    private int _others;
    private int _objects;

    /// <param name="isRecursive">Reads folders in folders too.</param>
    public ManifestSet Load(IReadOnlyCollection<string> paths, bool isRecursive)
    {
        foreach (var file in paths.SelectMany(p => FilesOf(p, isRecursive)))
            LoadFile(file);
        // Of a pipe whose other end has failed, and of a folder too high, nobody must think that nothing is to do
        if (_objects == 0 && _problems.Count == 0)
            _problems.Add(
                new ManifestProblem(
                    new SourcePosition(string.Join(", ", paths), 0, 0),
                    "",
                    "has no object; folders in a folder are read with --recursive"
                )
            );
        return new ManifestSet
        {
            Policies = [.. _policies.Values],
            Stores = [.. _stores.Values],
            ClusterStores = [.. _clusterStores.Values],
            Namespaces = [.. _namespaces.Values],
            Problems = _problems.ToImmutable(),
            Others = _others,
        };
    }

    private ImmutableArray<string> FilesOf(string path, bool isRecursive)
    {
        if (path == Stdin || !Directory.Exists(path))
            return [path];
        try
        {
            // As kubectl does, links to files are followed, and those to folders are not: they may lead in a circle
            var files = new FileSystemEnumerable<string>(
                path,
                (ref FileSystemEntry entry) => entry.ToSpecifiedFullPath(),
                new EnumerationOptions
                {
                    RecurseSubdirectories = isRecursive,
                    AttributesToSkip = FileAttributes.None,
                    IgnoreInaccessible = false,
                }
            )
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
                ShouldRecursePredicate = (ref FileSystemEntry entry) =>
                    !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
            };
            return
            [
                .. files
                    .Where(f => Endings.Contains(Path.GetExtension(f), StringComparer.Ordinal))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add(new ManifestProblem(new SourcePosition(path, 0, 0), "", e.Message));
            return [];
        }
    }

    private void LoadFile(string file)
    {
        try
        {
            if (file == Stdin)
            {
                LoadText(file, stdin);
                return;
            }
            if (file.Length == 0)
                throw new ManifestException(new SourcePosition("\"\"", 0, 0), "is not the name of a file");
            using var text = new StreamReader(file);
            LoadText(file, text);
        }
        catch (ManifestException e)
        {
            _problems.Add(e.Problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add(new ManifestProblem(new SourcePosition(file, 0, 0), "", e.Message));
        }
    }

    private void LoadText(string file, TextReader text)
    {
        using var bounded = new BoundedReader(text, new SourcePosition(file, 0, 0), MaxFile);
        foreach (var document in YamlReader.Read(file, bounded))
            LoadObject(document);
    }

    private void LoadObject(ManifestNode node)
    {
        if (node is not ManifestNode.Map map)
        {
            _problems.Add(new ManifestProblem(node.At, "", "is no object: it has no apiVersion and no kind"));
            return;
        }
        if (map.TextOf("kind") is not { Length: > 0 } kind || map.TextOf("apiVersion") is not { Length: > 0 } version)
        {
            _problems.Add(new ManifestProblem(map.At, "", "an object has an apiVersion and a kind"));
            return;
        }
        _objects++;
        if (kind.EndsWith("List", StringComparison.Ordinal) && map["items"] is ManifestNode.List list)
        {
            foreach (var item in list.Items)
                LoadObject(item);
            return;
        }
        switch (version)
        {
            case $"{ApiResources.Group}/{ApiResources.Version}" when _kinds.TryGetValue(kind, out var resource):
                LoadOurs(map, resource);
                break;
            case var _ when version.StartsWith(ApiResources.Group + "/", StringComparison.Ordinal):
                _problems.Add(
                    new ManifestProblem(
                        map["kind"]?.At ?? map.At,
                        "kind",
                        $"{version} has no {kind}; {ApiResources.Group}/{ApiResources.Version} has "
                            + string.Join(", ", _kinds.Keys.Order(StringComparer.Ordinal))
                    )
                );
                break;
            case "v1" when kind == "Namespace" && (map["metadata"] as ManifestNode.Map)?.TextOf("name") is not null:
                Keep(_namespaces, map, ManifestSet.Deserialize(map, ApiJsonContext.Default.Namespace));
                break;
            default:
                _others++;
                break;
        }
    }

    private void LoadOurs(ManifestNode.Map map, CustomResource resource)
    {
        var (full, problems) = ObjectValidator.Check(map, resource.Schema);
        _problems.AddRange(problems);
        if (problems.Length > 0)
            return;
        switch (resource.Kind)
        {
            case ApiResources.Policy:
                var policy = ManifestSet.Deserialize(full, ApiJsonContext.Default.BucketEncryptionPolicy);
                Keep(_policies, full, policy with { Metadata = Named(policy.Metadata) });
                break;
            case ApiResources.BucketStore:
                var store = ManifestSet.Deserialize(full, ApiJsonContext.Default.BucketStore);
                Keep(_stores, full, store with { Metadata = Named(store.Metadata) });
                break;
            case ApiResources.ClusterBucketStore:
                var shared = ManifestSet.Deserialize(full, ApiJsonContext.Default.ClusterBucketStore);
                Keep(_clusterStores, full, shared with { Metadata = shared.Metadata with { Namespace = "" } });
                break;
            default:
                throw new InvalidOperationException($"no record for {resource.Kind}");
        }
    }

    /// <summary>A new object's uid and generation; the server's own values of another object do not count.</summary>
    private ObjectMeta Named(ObjectMeta meta)
    {
        var where = meta.Namespace.Length > 0 ? meta.Namespace : ns;
        return meta with { Namespace = where, Uid = $"{where}/{meta.Name}", Generation = 1, DeletionTimestamp = null };
    }

    private static void Keep<T>(Dictionary<NamespacedName, Manifest<T>> objects, ManifestNode.Map source, T read)
        where T : IKubernetesObject => objects[read.Metadata.Key] = new Manifest<T>(read, source);
}
