using System.Text;
using BucketEncryptionOperator.Encryption;
using k8s;
using k8s.Models;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>Where a store says its keys are: a Secret, and the names of its values.</summary>
internal readonly record struct SecretSource(NamespacedName Name)
{
    public string IdKey { get; init; } = "accessKeyId";

    public string SecretKey { get; init; } = "accessKeySecret";

    /// <summary>Of temporary keys; it may be absent.</summary>
    public string TokenKey { get; init; } = "securityToken";
}

/// <summary>
/// The access keys of stores, read from their Secrets by name (<c>get</c> only: a right to list or watch Secrets would
/// show every body). A parsed key is kept per Secret and read again every 5 minutes; at once when the vendor has
/// rejected it, for it may have been replaced meanwhile; and every 5 seconds while it is missing, broken, forbidden or
/// rejected.
/// <para>
/// A key stays in use while the API server cannot be asked, and for the first 5 minutes in which it denies the Secret:
/// an API server that starts, or whose roles are not in its cache yet, denies what it grants a moment later.
/// </para>
/// <para>
/// The id and the token of a key are sent in clear. So values under other names than the usual ones are used only where
/// the Secret itself offers them as an access key (<see cref="KeysAnnotation"/>): a store's author may name any Secret
/// of the namespace, and need not be able to read it.
/// </para>
/// </summary>
/// <param name="isUsed">Whether any store takes its keys from there; null where nobody forgets any.</param>
internal sealed class SecretKeys(
    Func<NamespacedName, CancellationToken, Task<V1Secret>> getSecret,
    AccessKeyCircuitBreakers breakers,
    TimeProvider time,
    Func<SecretSource, bool>? isUsed = null
) : IDisposable
{
    public const string ReadSecret = "ReadSecret";

    /// <summary>
    /// On a Secret: which of its values may be used as what, for example <c>accessKeyId=AK,accessKeySecret=SK</c>.
    /// </summary>
    public const string KeysAnnotation = "bucketencryption.io/keys";

    private const string NotGiven = "The Kubernetes API did not give the Secret.";
    private const int MaxLength = 4096;

    private static readonly TimeSpan RereadAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RereadBrokenAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeptWhileDenied = TimeSpan.FromMinutes(5);

    private readonly KeyCache<SecretSource, CachedSecretKey> _cache = new(isUsed);

    /// <exception cref="KubeApiException">The API server did not give it.</exception>
    public static Task<V1Secret> FetchAsync(
        KubeClient client,
        NamespacedName name,
        CancellationToken cancellationToken
    ) =>
        client.CallAsync(
            $"GET secrets {name}",
            k => k.CoreV1.ReadNamespacedSecretAsync(name.Name, name.Namespace, cancellationToken: cancellationToken),
            cancellationToken
        );

    /// <summary>The key to use now, or why there is none.</summary>
    public async Task<Result<AccessKey>> GetAsync(SecretSource secret, CancellationToken cancellationToken)
    {
        var entry = _cache.Of(secret);
        await entry.Refresh.WaitAsync(cancellationToken);
        try
        {
            if (IsDue(entry))
                await RereadAsync(secret, entry, cancellationToken);
            lock (_cache.Gate)
                return entry.Current;
        }
        finally
        {
            entry.Refresh.Release();
        }
    }

    /// <summary>Which version of the Secret the key is from; empty where there is none.</summary>
    public string VersionOf(SecretSource secret)
    {
        if (_cache.Find(secret) is not { } entry)
            return "";
        lock (_cache.Gate)
            return entry.Version;
    }

    /// <summary>No store uses the Secret any more.</summary>
    public void Forget(SecretSource secret) => _cache.Forget(secret);

    /// <summary>Secrets that are kept.</summary>
    internal int Count => _cache.Count;

    public void Dispose() => _cache.Dispose();

    private bool IsDue(CachedSecretKey entry)
    {
        lock (_cache.Gate)
        {
            var rejected = entry.Current.Value is { } key && breakers.IsRejected(key);
            var isNew = rejected && !entry.KnownRejected;
            entry.KnownRejected = rejected;
            var isGood = !rejected && entry is { Current.Failure: null, DeniedSince: null };
            var after = isGood ? RereadAfter : RereadBrokenAfter;
            return isNew || entry.ReadAt is not { } readAt || time.GetElapsedTime(readAt) >= after;
        }
    }

    private async Task RereadAsync(SecretSource source, CachedSecretKey entry, CancellationToken cancellationToken)
    {
        var (version, read) = ("", default(Result<AccessKey>));
        try
        {
            var secret = await getSecret(source.Name, cancellationToken);
            (version, read) = (secret.Metadata.Uid + "/" + secret.Metadata.ResourceVersion, Parse(source, secret));
        }
        catch (KubeApiException e)
        {
            read = new Result<AccessKey>(Value: null, Failed(source, e));
        }
        lock (_cache.Gate)
        {
            entry.ReadAt = time.GetTimestamp();
            if (!Keeps(entry, version, read.Failure))
                (entry.Version, entry.Current) = (version, read);
        }
    }

    /// <summary>Whether the entry stays as it is.</summary>
    private bool Keeps(CachedSecretKey entry, string version, Failure? failure)
    {
        var hasKey = entry.Current.Value is not null;
        if (failure is { PassesByItself: true })
            return hasKey;
        if (hasKey && Reasons.SecretForbidden.Is(failure?.Code))
        {
            entry.DeniedSince ??= time.GetTimestamp();
            return time.GetElapsedTime(entry.DeniedSince.Value) < KeptWhileDenied;
        }
        entry.DeniedSince = null;
        return version.Length > 0 && version == entry.Version;
    }

    private static Failure Failed(SecretSource source, KubeApiException e) =>
        e.Failure switch
        {
            KubeFailureKind.NotFound => new Failure(Reasons.SecretNotFound, ReadSecret)
            {
                Message = $"There is no Secret \"{source.Name.Name}\" in namespace \"{source.Name.Namespace}\".",
                Hint = $"Create it with the keys {source.IdKey} and {source.SecretKey}.",
                ConcernsCredentials = true,
            },
            KubeFailureKind.Denied => new Failure(Reasons.SecretForbidden, ReadSecret)
            {
                Message = $"The operator may not get the Secret \"{source.Name.Name}\".",
                Hint = "Grant the operator's service account get on this Secret.",
                ConcernsCredentials = true,
            },
            KubeFailureKind.Throttled => new Failure(Reasons.SecretUnreadable, ReadSecret)
            {
                Kind = FailureKind.Throttled,
                Message = NotGiven,
                RetryAfter = e.RetryAfter,
            },
            _ => new Failure(Reasons.SecretUnreadable, ReadSecret) { Message = NotGiven },
        };

    private static Result<AccessKey> Parse(SecretSource source, V1Secret secret)
    {
        if (NotOffered(source, secret) is { } refusal)
            return new Result<AccessKey>(Value: null, refusal);
        var (id, secretText, token) = (
            Field(secret, source.IdKey),
            Field(secret, source.SecretKey),
            Field(secret, source.TokenKey)
        );
        var wrong =
            id is null or "" ? source.IdKey
            : secretText is null or "" ? source.SecretKey
            : token is "" ? source.TokenKey
            : null;
        if (wrong is null && id is not null && secretText is not null)
            return new Result<AccessKey>(new AccessKey(id, secretText, token), Failure: null);
        return new Result<AccessKey>(
            Value: null,
            new Failure(Reasons.SecretInvalid, ReadSecret)
            {
                Message = $"Secret \"{source.Name.Name}\": {wrong} is missing, or is not a line of visible ASCII.",
                Hint =
                    $"The Secret needs {source.IdKey} and {source.SecretKey}; {source.TokenKey} goes with temporary "
                    + "keys only.",
                ConcernsCredentials = true,
            }
        );
    }

    /// <returns>Null where every value has its usual name, or is offered under the name that the store gives.</returns>
    private static Failure? NotOffered(SecretSource source, V1Secret secret)
    {
        var usual = new SecretSource(source.Name);
        (string Usual, string Given)[] names =
        [
            (usual.IdKey, source.IdKey),
            (usual.SecretKey, source.SecretKey),
            (usual.TokenKey, source.TokenKey),
        ];
        var renamed = names.Where(n => n.Given != n.Usual).ToList();
        var offers = Annotation(secret)?.Split(',', StringSplitOptions.TrimEntries) ?? [];
        var missing = renamed.Where(n => !offers.Contains($"{n.Usual}={n.Given}", StringComparer.Ordinal)).ToList();
        if (missing.Count == 0)
            return null;
        var (what, name) = missing[0];
        var offer = string.Join(',', renamed.Select(n => $"{n.Usual}={n.Given}"));
        return new Failure(Reasons.SecretKeysNotOffered, ReadSecret)
        {
            Message = $"Secret \"{source.Name.Name}\" does not offer its value {name} as {what}.",
            Hint =
                $"If it is an access key, annotate the Secret with {KeysAnnotation}: \"{offer}\". "
                + "Vendors get the id and the token in clear.",
            ConcernsCredentials = true,
        };
    }

    private static string? Annotation(V1Secret secret) =>
        secret.Metadata.Annotations?.TryGetValue(KeysAnnotation, out var value) == true ? value : null;

    /// <returns>
    /// Null: absent. Empty: there, and no use. A newline at the end, which many tools leave, is dropped.
    /// </returns>
    private static string? Field(V1Secret secret, string name)
    {
        if (secret.Data is null || !secret.Data.TryGetValue(name, out var bytes) || bytes is null)
            return null;
        var text = Encoding.UTF8.GetString(bytes).TrimEnd('\r', '\n');
        return text.Length <= MaxLength && VisibleAscii.IsAll(text) ? text : "";
    }

    private sealed class CachedSecretKey : CachedKey
    {
        public string Version { get; set; } = "";
        public Result<AccessKey> Current { get; set; }
        public long? ReadAt { get; set; }

        /// <summary>When the API server first denied the Secret, if it has not given it since.</summary>
        public long? DeniedSince { get; set; }

        /// <summary>The Secret was read since the vendor has rejected the key.</summary>
        public bool KnownRejected { get; set; }
    }
}
