namespace ObjectStoreSimulator.State;

/// <summary>Switches for what vendors do differently from place to place and from time to time. Read as one immutable value.</summary>
internal sealed class Settings
{
    private volatile SettingValues _values = new();

    public SettingValues Values => _values;

    public void Set(SettingValues values) => _values = values;

    public void Clear() => _values = new();
}

internal sealed record SettingValues
{
    /// <summary>Error bodies carry <c>xmlns="http://doc.oss-{region}.aliyuncs.com"</c>, as some of OSS's do.</summary>
    public bool ErrorNamespace { get; set; }

    /// <summary>Errors have an empty body, and <c>x-oss-err</c> carries the XML in base64.</summary>
    public bool EmptyErrorBodies { get; set; }

    /// <summary>404 (older API page, troubleshooting page) or 400 (today's GetBucketEncryption page).</summary>
    public int NotConfiguredStatus { get; set; } = 404;

    /// <summary>GET puts white space around every value, as documentation samples have it.</summary>
    public bool WhiteSpace { get; set; }

    /// <summary>How long a GET still sees the state before a PUT or DELETE, for buckets without a lag of their own.</summary>
    public int ReadLagMs { get; set; }

    /// <summary>Added to the server's clock, in what it checks and in what it says.</summary>
    public double ClockOffsetSeconds { get; set; }
}
