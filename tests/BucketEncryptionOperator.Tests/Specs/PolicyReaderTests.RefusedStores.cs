using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed partial class PolicyReaderTests
{
    /// <inheritdoc cref="RefusedPolicies"/>
    private static readonly Dictionary<string, Refusal> RefusedStores = new(StringComparer.Ordinal)
    {
        ["a setting that the vendor does not accept"] = BadStore(
            s => s with { Spec = s.Spec with { Alibaba = new AlibabaSpec { SignatureVersion = "v4" } } },
            "InvalidSpec",
            "spec.alibaba.signatureVersion",
            "\"v4\"",
            "use V4 or V1"
        ),
        ["a vendor that is not known"] = BadStore(
            s => s with { Spec = s.Spec with { Vendor = "Floppy" } },
            "InvalidSpec",
            "\"hangzhou\"",
            "spec.vendor",
            "\"Floppy\"",
            "AlibabaOSS"
        ),
        ["an addressing that is not known"] = BadStore(
            s => s.At(null, "Sideways"),
            "InvalidSpec",
            "spec.addressing",
            "\"Sideways\"",
            "VirtualHost, Path, CName"
        ),
        ["an endpoint that is no URL"] = BadStore(
            s => s.At("oss-cn-hangzhou.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "\"oss-cn-hangzhou.aliyuncs.com\"",
            "https://oss-cn-hangzhou.aliyuncs.com"
        ),
        ["an endpoint with a path"] = BadStore(
            s => s.At("https://oss.corp.example/path"),
            "InvalidSpec",
            "spec.endpoint",
            "\"https://oss.corp.example/path\"",
            "scheme and host only"
        ),
        ["an endpoint with a query"] = BadStore(
            s => s.At("https://oss.corp.example/?a=b"),
            "InvalidSpec",
            "spec.endpoint",
            "scheme and host only"
        ),
        ["an endpoint with a fragment"] = BadStore(
            s => s.At("https://oss.corp.example/#a"),
            "InvalidSpec",
            "spec.endpoint",
            "scheme and host only"
        ),
        ["an endpoint with a user"] = BadStore(
            s => s.At("https://user@oss.corp.example"),
            "InvalidSpec",
            "spec.endpoint",
            "scheme and host only"
        ),
        ["an endpoint of another scheme"] = BadStore(
            s => s.At("ftp://oss.corp.example"),
            "InvalidSpec",
            "spec.endpoint",
            "\"ftp://oss.corp.example\""
        ),
        ["an endpoint that is a file"] = BadStore(
            s => s.At("/etc/passwd"),
            "InvalidSpec",
            "spec.endpoint",
            "scheme and host only"
        ),
        ["a region that would move the endpoint"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "x@evil.example/" } },
            "InvalidSpec",
            "spec.region",
            "\"x@evil.example/\"",
            "cn-hangzhou"
        ),
        ["an empty region"] = BadStore(
            s => s.At("https://oss.corp.example") with { Spec = s.Spec with { Region = "" } },
            "InvalidSpec",
            "spec.region",
            "cn-hangzhou"
        ),
        ["an endpoint of another region"] = BadStore(
            s => s.At("https://oss-cn-beijing.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "oss-cn-beijing.aliyuncs.com",
            "region cn-hangzhou"
        ),
        ["an internal endpoint of another region"] = BadStore(
            s => s.At("https://oss-cn-beijing-internal.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "region cn-hangzhou"
        ),
        ["a dual-stack endpoint of another region"] = BadStore(
            s => s.At("https://cn-beijing.oss.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "region cn-hangzhou"
        ),
        ["an AWS endpoint of another region"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://s3.eu-west-3.amazonaws.com"),
            "InvalidSpec",
            "spec.endpoint",
            "region eu-west-1"
        ),
        ["a CNAME without a name"] = BadStore(
            s => s.At(null, "CName"),
            "InvalidSpec",
            "spec.endpoint",
            "must be given"
        ),
        ["a CloudBox without an endpoint"] = BadStore(
            s => s with { Spec = s.Spec with { Alibaba = new AlibabaSpec { CloudBoxId = "cb-1" } } },
            "InvalidSpec",
            "spec.endpoint",
            "must be given"
        ),
        ["a CNAME where there is none"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://oss.corp.example", "CName"),
            "InvalidSpec",
            "spec.addressing",
            "\"CName\"",
            "S3",
            "Path, VirtualHost"
        ),
        ["a path where the host is needed"] = BadStore(
            _ => Given.Store("HuaweiOBS", "cn-north-4").At(null, "Path"),
            "InvalidSpec",
            "spec.addressing",
            "HuaweiOBS",
            "VirtualHost"
        ),
        ["an IP address where the host is needed"] = BadStore(
            _ => Given.Store("HuaweiOBS", "cn-north-4").At("http://127.0.0.1:9000"),
            "InvalidSpec",
            "spec.endpoint",
            "127.0.0.1",
            "give a name"
        ),
        ["an addressing by its number"] = BadStore(s => s.At(null, "1"), "InvalidSpec", "spec.addressing", "\"1\""),
        ["an endpoint with the bucket in it"] = BadStore(
            s => s.At("https://media.oss-cn-hangzhou.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "the endpoint goes without the bucket: https://oss-cn-hangzhou.aliyuncs.com"
        ),
        ["an AWS endpoint with the bucket in it"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://media.s3.eu-west-1.amazonaws.com"),
            "InvalidSpec",
            "spec.endpoint",
            "without the bucket: https://s3.eu-west-1.amazonaws.com"
        ),
        ["an OBS endpoint with the bucket in it"] = BadStore(
            _ => Given.Store("HuaweiOBS", "cn-north-4").At("https://media.obs.cn-north-4.myhuaweicloud.com"),
            "InvalidSpec",
            "spec.endpoint",
            "without the bucket: https://obs.cn-north-4.myhuaweicloud.com"
        ),
        ["an endpoint with a bucket of dots in it"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://my.media.s3.eu-west-1.amazonaws.com"),
            "InvalidSpec",
            "without the bucket: https://s3.eu-west-1.amazonaws.com"
        ),
        ["another vendor's endpoint with the bucket in it"] = BadStore(
            _ => Given.Store("S3", "cn-north-4").At("https://media.obs.cn-north-4.myhuaweicloud.com"),
            "InvalidSpec",
            "without the bucket: https://obs.cn-north-4.myhuaweicloud.com"
        ),
        ["the old global endpoint with the bucket in it"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://media.s3.amazonaws.com"),
            "InvalidSpec",
            "without the bucket: https://s3.eu-west-1.amazonaws.com"
        ),
        ["the old global endpoint"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://s3.amazonaws.com"),
            "EndpointNotAllowed",
            "https://s3.amazonaws.com",
            "https://s3.eu-west-1.amazonaws.com"
        ),
        ["an endpoint's old name"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://s3-eu-west-1.amazonaws.com"),
            "EndpointNotAllowed",
            "https://s3.eu-west-1.amazonaws.com"
        ),
        ["the global endpoint of another vendor"] = BadStore(
            _ => Given.Store("HuaweiOBS", "cn-north-4").At("https://obs.myhuaweicloud.com"),
            "EndpointNotAllowed",
            "https://obs.cn-north-4.myhuaweicloud.com"
        ),
        ["a region with an SDK's prefix"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "oss-cn-hangzhou" } },
            "InvalidSpec",
            "spec.region",
            "\"oss-cn-hangzhou\"",
            "give cn-hangzhou"
        ),
        ["a region with an SDK's prefix at a name of one's own"] = BadStore(
            s =>
                s.At("https://oss.corp.example") with
                {
                    Spec = s.At("https://oss.corp.example").Spec with { Region = "oss-cn-hangzhou" },
                },
            "InvalidSpec",
            "spec.region",
            "give cn-hangzhou"
        ),
        ["a region of an internal endpoint"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "cn-beijing-internal" } },
            "InvalidSpec",
            "spec.region",
            "\"cn-beijing-internal\"",
            "give cn-beijing"
        ),
        ["a region of a finance cloud's endpoint"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "cn-shanghai-finance-1-pub" } },
            "InvalidSpec",
            "spec.region",
            "give cn-shanghai-finance-1"
        ),
        ["a region of a finance cloud's endpoint, of which the name is another"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "cn-hzfinance" } },
            "InvalidSpec",
            "spec.region",
            "give cn-hangzhou-finance"
        ),
        ["a region that an old SDK has for FIPS"] = BadStore(
            _ => Given.Store("S3", "fips-us-east-1"),
            "InvalidSpec",
            "spec.region",
            "give us-east-1"
        ),
        ["a finance cloud's endpoint of another region"] = BadStore(
            s =>
                s.At("https://oss-cn-hzfinance.aliyuncs.com") with
                {
                    Spec = s.At("https://oss-cn-hzfinance.aliyuncs.com").Spec with { Region = "cn-shanghai-finance-1" },
                },
            "InvalidSpec",
            "spec.endpoint",
            "region cn-shanghai-finance-1"
        ),
        ["an AWS endpoint of another partition"] = BadStore(
            _ => Given.Store("S3", "eusc-de-east-1").At("https://s3.eu-central-1.amazonaws.com"),
            "InvalidSpec",
            "spec.endpoint",
            "region eusc-de-east-1"
        ),
        ["a host whose label begins with a hyphen"] = BadStore(
            s => s.At("https://a.-b.example"),
            "InvalidSpec",
            "spec.endpoint",
            "a.-b.example",
            "is not a host name"
        ),
        ["a host whose label is too long"] = BadStore(
            s => s.At($"https://{new string('a', 64)}.example"),
            "InvalidSpec",
            "spec.endpoint",
            "is not a host name"
        ),
        ["a host that leaves no room for a bucket"] = BadStore(
            s => s.At($"https://{string.Join('.', Enumerable.Repeat("abcdefghi", 22))}.example"),
            "InvalidSpec",
            "spec.endpoint",
            "at most 189 characters"
        ),
        ["an endpoint that is not listed"] = BadStore(
            s => s.At("https://evil.example"),
            "EndpointNotAllowed",
            "spec.endpoint",
            "https://evil.example",
            "--allowed-endpoints"
        ),
        ["a port that is not listed"] = BadStore(
            s => s.At("https://oss.corp.example:8443"),
            "EndpointNotAllowed",
            "https://oss.corp.example:8443",
            "--allowed-endpoints"
        ),
        ["plain http where https is listed"] = BadStore(
            s => s.At("http://oss.corp.example"),
            "EndpointNotAllowed",
            "http://oss.corp.example",
            "plain http"
        ),
    };
}
