using System.Globalization;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Huawei;
using BucketEncryptionOperator.Vendors.JDCloud;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.S3;

namespace BucketEncryptionOperator.Tests.Vendors.Catalog;

/// <summary>What the tests of all vendors start from.</summary>
internal static class Dialects
{
    public static readonly AccessKey Key = new("LTAI-key", "a-secret-that-nobody-may-see", SecurityToken: null);
    public static readonly AccessKey Temporary = new(
        "STS.key",
        "a-secret-that-nobody-may-see",
        "a-token-that-nobody-may-see"
    );
    public static readonly DateTimeOffset Now = new(2026, 11, 21, 1, 47, 57, TimeSpan.Zero);

    /// <summary>By the names of the golden folders.</summary>
    public static IReadOnlyDictionary<string, IVendorDialect> All { get; } =
        new Dictionary<string, IVendorDialect>(StringComparer.Ordinal)
        {
            ["alibaba"] = new OssDialect(),
            ["huawei"] = new ObsDialect(),
            ["jdcloud"] = new JDCloudDialect(),
            ["s3"] = new S3Dialect(),
        };

    public static TheoryData<string> Names => new(All.Keys);

    /// <summary>The document that a vendor answers and takes, without what it says.</summary>
    public static string Document(string vendor, string inside, string beside = "")
    {
        var rule = $"<ApplyServerSideEncryptionByDefault>{inside}</ApplyServerSideEncryptionByDefault>{beside}";
        var ns = vendor == "s3" ? " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"" : "";
        return vendor == "alibaba"
            ? $"<ServerSideEncryptionRule>{rule}</ServerSideEncryptionRule>"
            : $"<ServerSideEncryptionConfiguration{ns}><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>";
    }

    /// <summary>The vendor's word for KMS.</summary>
    public static string Kms(string vendor) =>
        vendor switch
        {
            "alibaba" => "KMS",
            "huawei" => "kms",
            _ => "aws:kms",
        };

    /// <summary>
    /// The request as HTTP/1.1 would have it, with line feeds and without the connection's own headers.
    /// </summary>
    public static async Task<string> TextAsync(HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        var text = new StringBuilder().Append(
            CultureInfo.InvariantCulture,
            $"{request.Method} {uri.PathAndQuery} HTTP/1.1\nHost: {uri.Authority}\n"
        );
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync();
        _ = request.Content?.Headers.ContentLength; // computed when asked for
        foreach (
            var (name, values) in request
                .Headers.Concat(request.Content?.Headers.AsEnumerable() ?? [])
                .OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase)
        )
            text.Append(CultureInfo.InvariantCulture, $"{name}: {string.Join(", ", values)}\n");
        return text.Append('\n').Append(body).ToString();
    }
}
