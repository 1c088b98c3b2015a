using System.Globalization;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Tests.Vendors.Catalog;

/// <summary>
/// Signatures of the list of buckets, which no vendor publishes one of: computed by another program, which makes the
/// vendors' published vectors of other requests. Byte for byte.
/// </summary>
public sealed class ListSignatureTests
{
    private static readonly AccessKey Key = new("ak", "sk", SecurityToken: null);

    private static readonly StoreAddress Oss = new(
        new Uri("https://oss-cn-hangzhou.aliyuncs.com"),
        "cn-hangzhou",
        Addressing.VirtualHost,
        VendorOptions.None
    );

    [Fact]
    public void OSS_version_4_signs_the_query()
    {
        using var request = Sign("alibaba", Oss, Key, "2026-11-21T01:47:57Z");

        Assert.Equal("https://oss-cn-hangzhou.aliyuncs.com/?max-keys=1000", request.RequestUri?.AbsoluteUri);
        Assert.EndsWith(
            ",Signature=fe62409e33481742e4b9e795b2f9a912ada666d8b2ea8a619cf266646390842e",
            Authorization(request),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(null)]
    [InlineData("finance-archive")]
    public void OSS_version_1_does_not(string? begin)
    {
        var store = Oss with { Options = new OssOptions(OssSignature.V1, CloudBoxId: null) };

        using var request = Sign("alibaba", store, Key, "2026-11-21T01:47:57Z", begin);

        Assert.Equal("OSS ak:DT4243Y7XDYKP0tO39cNM+wnbS4=", Authorization(request));
    }

    /// <summary>Without the header that asks for buckets only, which the vector does not have.</summary>
    [Fact]
    public void OBS_signs_the_root()
    {
        const string Date = "Sat, 21 Nov 2026 01:51:01 GMT";
        var store = Oss with { Endpoint = new Uri("https://obs.cn-north-4.myhuaweicloud.com") };
        var input = new HmacSha1Input("GET", Date, HmacSha1Signer.ResourceOf(store), [], [new("Date", Date)]);

        Assert.Equal(
            "OBS ak:e+mPyId5Yf56Z3Nj7FU9TJfCAv0=",
            HmacSha1Signer.Authorize(new HmacSha1Scheme("OBS", "x-obs-", Resource.Settings), input, Key)
        );
    }

    /// <summary>With the key of AWS's documentation.</summary>
    [Fact]
    public void AWS_signs_the_query()
    {
        var store = new StoreAddress(
            new Uri("https://s3.us-east-1.amazonaws.com"),
            "us-east-1",
            Addressing.VirtualHost,
            VendorOptions.None
        );
        var key = new AccessKey(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            SecurityToken: null
        );

        using var request = Sign("s3", store, key, "2013-05-24T00:00:00Z");

        Assert.Equal("https://s3.us-east-1.amazonaws.com/?max-buckets=1000", request.RequestUri?.AbsoluteUri);
        Assert.EndsWith(
            ", Signature=f5178d3926eb7cd4bb1c288be020356c652079bd7019f3628d73430bdcacd917",
            Authorization(request),
            StringComparison.Ordinal
        );
    }

    private static HttpRequestMessage Sign(
        string vendor,
        StoreAddress store,
        AccessKey key,
        string time,
        string? begin = null
    )
    {
        var dialect = Dialects.All[vendor];
        return dialect.Sign(
            new UnsignedRequest(
                HttpMethod.Get,
                store,
                dialect.Account.Page(store, begin),
                key,
                Body: null,
                DateTimeOffset.Parse(time, CultureInfo.InvariantCulture)
            )
        );
    }

    private static string Authorization(HttpRequestMessage request) =>
        string.Join(", ", request.Headers.GetValues("Authorization"));
}
