using System.Collections.Immutable;
using System.Text.Json.Serialization;
using System.Xml.Linq;

namespace ObjectStoreSimulator.State;

/// <summary>
/// Buckets and the XML of their encryption, as GET is to return it. A change can become visible late (read lag), as OSS
/// does not promise that a GET sees the PUT before it; what the vendor has stored (<see cref="StoredEncryption"/>) is
/// always up to date.
/// </summary>
internal sealed class Buckets(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Bucket> _byName = new(StringComparer.Ordinal);

    public ImmutableArray<KeyValuePair<string, BucketSettings>> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _byName.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Settings))];
            }
        }
    }

    public BucketSettings? Find(string name)
    {
        lock (_lock)
        {
            return _byName.GetValueOrDefault(name)?.Settings;
        }
    }

    /// <summary>The bucket that a custom domain leads to.</summary>
    public string? OfDomain(string domain)
    {
        lock (_lock)
        {
            return _byName.FirstOrDefault(pair => pair.Value.Settings.CustomDomain == domain).Key;
        }
    }

    /// <summary>
    /// Makes the bucket, or changes the settings of the one that is there; its encryption stays, and so do its tags
    /// unless it is given others.
    /// </summary>
    public void Create(string name, BucketSettings settings)
    {
        lock (_lock)
        {
            if (_byName.TryGetValue(name, out Bucket? there))
            {
                there.Settings = settings with { Tags = settings.Tags ?? there.Settings.Tags };
            }
            else
            {
                _byName[name] = new Bucket { Settings = settings };
            }
        }
    }

    /// <summary>False: no such bucket.</summary>
    public bool SetTags(string name, ImmutableSortedDictionary<string, string> tags)
    {
        lock (_lock)
        {
            if (!_byName.TryGetValue(name, out Bucket? bucket))
            {
                return false;
            }

            bucket.Settings = bucket.Settings with { Tags = tags };
            return true;
        }
    }

    public bool Remove(string name)
    {
        lock (_lock)
        {
            return _byName.Remove(name);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _byName.Clear();
        }
    }

    /// <summary>What the last write left, whatever readers see. Null: none.</summary>
    public string? StoredEncryption(string name)
    {
        lock (_lock)
        {
            return _byName.GetValueOrDefault(name)?.History[^1].Xml;
        }
    }

    /// <summary>What a GET sees now. Null: none.</summary>
    public string? VisibleEncryption(string name)
    {
        lock (_lock)
        {
            if (!_byName.TryGetValue(name, out Bucket? bucket))
            {
                return null;
            }

            DateTimeOffset now = time.GetUtcNow();
            int visible = bucket.History.FindLastIndex(state => state.VisibleFrom <= now);
            bucket.History.RemoveRange(0, visible);
            return bucket.History[0].Xml;
        }
    }

    /// <summary>
    /// A change by a client: readers see it after the bucket's lag, or else after <paramref name="defaultLag"/>.
    /// </summary>
    public void SetEncryption(string name, string? xml, TimeSpan defaultLag)
    {
        lock (_lock)
        {
            if (_byName.TryGetValue(name, out Bucket? bucket))
            {
                TimeSpan lag = bucket.Settings.ReadLagMs is { } own ? TimeSpan.FromMilliseconds(own) : defaultLag;
                bucket.History.Add((time.GetUtcNow() + lag, xml));
            }
        }
    }

    /// <summary>
    /// A change behind the client's back, seen at once. False: no such bucket. Null removes the encryption.
    /// </summary>
    /// <exception cref="System.Xml.XmlException">Not XML.</exception>
    public bool SetEncryptionBehindTheBack(string name, string? xml)
    {
        if (xml is not null)
        {
            XDocument.Parse(xml);
        }

        lock (_lock)
        {
            if (!_byName.TryGetValue(name, out Bucket? bucket))
            {
                return false;
            }

            bucket.History.Clear();
            bucket.History.Add((DateTimeOffset.MinValue, xml));
            return true;
        }
    }

    /// <summary>The history's first entry is always visible; later ones wait for their time.</summary>
    private sealed class Bucket
    {
        public required BucketSettings Settings { get; set; }

        public List<(DateTimeOffset VisibleFrom, string? Xml)> History { get; } = [(DateTimeOffset.MinValue, null)];
    }
}

internal record BucketSettings
{
    /// <summary>The account of all keys and buckets that name no other.</summary>
    public const string UsualOwner = "123456789012";

    /// <summary>Without the vendor's prefix: <c>cn-hangzhou</c>.</summary>
    public string Region { get; set; } = "cn-hangzhou";

    /// <summary>Set for a bucket on a CloudBox: V4 scopes then name it in place of the region.</summary>
    public string? CloudBoxId { get; set; }

    public int? ReadLagMs { get; set; }

    /// <summary>A domain of the owner's that leads to this bucket (CNAME).</summary>
    public string? CustomDomain { get; set; }

    /// <summary>The account that owns the bucket, for <c>x-amz-expected-bucket-owner</c> and for lists.</summary>
    public string Owner { get; set; } = UsualOwner;

    /// <summary>Null: those that the bucket has already.</summary>
    public ImmutableSortedDictionary<string, string>? Tags { get; set; }

    /// <summary>OBS's parallel file systems.</summary>
    public FileSystemKind FileSystem { get; set; }
}

internal enum FileSystemKind
{
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>A parallel file system in a region that has no encryption for such.</summary>
    [JsonStringEnumMemberName("unsupported")]
    Unsupported,

    /// <summary>A parallel file system in a newer region: KMS only, with a key and a bucket key.</summary>
    [JsonStringEnumMemberName("bucketKeyOnly")]
    BucketKeyOnly,
}
