using System.Collections.Immutable;
using System.Globalization;
using ObjectStoreSimulator.Alibaba;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// The simulator's signature functions against strings and signatures that others published or that ali-oss 6.23 was
/// recorded to send, byte for byte. Sources: unit tests of alibabacloud-oss-go-sdk-v2 and of aliyun-oss-csharp-sdk v1
/// and v2, OSS help page on V1 (the last of the V1 rows; its prose shows another Content-MD5 than its code, and only
/// the code's gives its signature).
/// </summary>
public sealed class OssSignatureTests
{
    private const string Day = "Wed, 28 Dec 2022 10:27:41 GMT";
    private const string Recorded = "Sat, 21 Nov 2026 01:47:57 GMT";
    private const string Object =
        "content-md5=eB5eJF1ptWaXm4bijSPyxw==|content-type=text/html|x-oss-meta-author=alice|"
        + $"x-oss-meta-magic=abracadabra|date={Day}|x-oss-date={Day}";

    private const string SignedObject =
        $"PUT\neB5eJF1ptWaXm4bijSPyxw==\ntext/html\n{Day}\nx-oss-date:{Day}\nx-oss-meta-author:alice\n"
        + "x-oss-meta-magic:abracadabra\n";

    private const string PublishedV4 =
        "/bucket/1234%2B-/123/1.txt\n%2Bparam1=value3&%2Bparam2&%7Cparam1=value4&%7Cparam2&param1=value1&param2\n"
        + "content-type:text/plain\nx-oss-content-sha256:UNSIGNED-PAYLOAD\nx-oss-date:20231216T162057Z\n"
        + "x-oss-head1:value\n\n\nUNSIGNED-PAYLOAD";

    [Theory]
    [InlineData(
        "OSS-V1-1",
        "PUT",
        "examplebucket",
        "/nelson",
        Object,
        SignedObject + "/examplebucket/nelson",
        "kSHKmLxlyEAKtZPkJhG9bZb5k7M="
    )]
    [InlineData(
        "OSS-V1-2",
        "PUT",
        "examplebucket",
        "/nelson?acl&non-resousce=123",
        Object,
        SignedObject + "/examplebucket/nelson?acl",
        "/afkugFbmWDQ967j1vr6zygBLQk="
    )]
    [InlineData(
        "OSS-V1-3",
        "GET",
        "examplebucket",
        "/?resourceGroup&non-resousce=null",
        $"date={Day}|x-oss-date={Day}",
        $"GET\n\n\n{Day}\nx-oss-date:{Day}\n/examplebucket/?resourceGroup",
        "vkQmfuUDyi1uDi3bKt67oemssIs="
    )]
    [InlineData(
        "OSS-V1-4",
        "GET",
        "examplebucket",
        "/?resourceGroup&acl",
        $"date={Day}|x-oss-date={Day}",
        $"GET\n\n\n{Day}\nx-oss-date:{Day}\n/examplebucket/?acl&resourceGroup",
        "x3E5TgOvl/i7PN618s5mEvpJDYk="
    )]
    [InlineData(
        "OSS-V1-5",
        "PUT",
        "examplebucket",
        "/nelson",
        Object + "|x-oss-security-token=token",
        SignedObject + "x-oss-security-token:token\n/examplebucket/nelson",
        "H3PAlN3Vucn74tPVEqaQC4AnLwQ="
    )]
    [InlineData(
        "OSS-V1-E1",
        "PUT",
        "b-one",
        "/?encryption=",
        $"content-md5=DicE9DIiaL0g0jp0/ih4+w==|content-type=application/xml|x-oss-date={Recorded}",
        $"PUT\nDicE9DIiaL0g0jp0/ih4+w==\napplication/xml\n{Recorded}\nx-oss-date:{Recorded}\n/b-one/?encryption",
        "o8Tdzh4RDokwbv1FaYLtKkzBh8w="
    )]
    [InlineData(
        "OSS-V1-E2",
        "GET",
        "b-one",
        "/?encryption=",
        $"x-oss-date={Recorded}",
        $"GET\n\n\n{Recorded}\nx-oss-date:{Recorded}\n/b-one/?encryption",
        "oZKPEvzNnhRVkEq+piFOY5h0rmk="
    )]
    public void V1_is_as_published(
        string vector,
        string method,
        string bucket,
        string target,
        string headers,
        string stringToSign,
        string signature
    )
    {
        string built = OssSignatureV1.StringToSign(method, Address(bucket, target), Headers(headers));

        Assert.Equal((vector, stringToSign), (vector, built));
        Assert.Equal((vector, signature), (vector, OssSignatureV1.Sign("sk", built)));
    }

    [Fact]
    public void V1_is_as_the_help_page_computes_it()
    {
        const string Md5 = "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=";
        string headers =
            $"content-md5={Md5}|content-type=text/html|date=Thu, 17 Nov 2005 18:49:58 GMT|x-oss-magic=abracadabra|"
            + "x-oss-meta-author=foo@bar.com";

        string built = OssSignatureV1.StringToSign("PUT", Address("oss-example", "/nelson"), Headers(headers));

        Assert.Equal(
            $"PUT\n{Md5}\ntext/html\nThu, 17 Nov 2005 18:49:58 GMT\nx-oss-magic:abracadabra\n"
                + "x-oss-meta-author:foo@bar.com\n/oss-example/nelson",
            built
        );
        Assert.Equal(
            "26NBxoKdsyly4EDv6inkoDft/yA=",
            OssSignatureV1.Sign("OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV", built)
        );
    }

    [Theory]
    [InlineData(
        "OSS-V4-1",
        1702743657,
        "cn-hangzhou",
        "oss",
        "",
        "",
        "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"
    )]
    [InlineData(
        "OSS-V4-2",
        1702784856,
        "cn-hangzhou",
        "oss",
        "x-oss-security-token=token",
        "",
        "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"
    )]
    [InlineData(
        "OSS-V4-3",
        1702747512,
        "cn-hangzhou",
        "oss",
        "",
        "ZAbc;abc",
        "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"
    )]
    [InlineData(
        "OSS-V4-4",
        1702747512,
        "cn-hangzhou",
        "oss",
        "",
        "x-oss-no-exist;ZAbc;x-oss-head1;abc",
        "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"
    )]
    [InlineData(
        "OSS-V4-5",
        1702743657,
        "cb-123",
        "oss-cloudbox",
        "",
        "",
        "94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43"
    )]
    public void V4_is_as_published(
        string vector,
        long unixSeconds,
        string region,
        string product,
        string moreHeaders,
        string additional,
        string signature
    )
    {
        string time = DateTimeOffset
            .FromUnixTimeSeconds(unixSeconds)
            .ToString(OssSignatureV4.TimeFormat, CultureInfo.InvariantCulture);
        string headers =
            "x-oss-head1=value|abc=value|zabc=value|xyz=value|content-type=text/plain|"
            + $"x-oss-content-sha256=UNSIGNED-PAYLOAD|x-oss-date={time}|{moreHeaders}";
        const string Target =
            "/1234%2B-/123/1.txt?param1=value1&%2Bparam1=value3&%7Cparam1=value4&%2Bparam2&%7Cparam2&param2";

        string canonical = OssSignatureV4.CanonicalRequest(
            "PUT",
            Address("bucket", Target),
            Headers(headers),
            additional.Split(';', StringSplitOptions.RemoveEmptyEntries)
        );

        OssScope scope = new(time[..8], region, product);
        Assert.Equal(
            (vector, signature),
            (vector, OssSignatureV4.Sign("sk", scope, OssSignatureV4.StringToSign(time, scope, canonical)))
        );
    }

    [Fact]
    public void V4_canonical_request_is_as_published()
    {
        const string Headers4 =
            "x-oss-head1=value|abc=value|zabc=value|xyz=value|content-type=text/plain|"
            + "x-oss-content-sha256=UNSIGNED-PAYLOAD|x-oss-date=20231216T162057Z";

        string canonical = OssSignatureV4.CanonicalRequest(
            "PUT",
            Address(
                "bucket",
                "/1234%2B-/123/1.txt?param1=value1&%2Bparam1=value3&%7Cparam1=value4&%2Bparam2&%7Cparam2&param2"
            ),
            Headers(Headers4),
            []
        );

        Assert.Equal("PUT\n" + PublishedV4, canonical);
    }

    [Theory]
    [InlineData(
        "OSS-V4-E1",
        "PUT",
        "content-type=application/xml|content-md5=DicE9DIiaL0g0jp0/ih4+w==",
        "3aea7745812907ba8215a3e301a9c92123e7bc04b0a8ddacbd968bf6a17ba1d4"
    )]
    [InlineData("OSS-V4-E2", "GET", "", "a7ceb0f0e0ae25b0e354486f1d7642f38a76e4b88d539f393bf0cd899b699d73")]
    [InlineData(
        "OSS-V4-E3",
        "DELETE",
        "x-oss-security-token=tok",
        "111eed6d78f17d89648acb60ddbed82ae052f0bf216a7768c955955ce52be832"
    )]
    public void V4_is_as_ali_oss_was_recorded(string vector, string method, string moreHeaders, string signature)
    {
        const string Time = "20261121T014757Z";
        OssScope scope = new("20261121", "cn-hangzhou", "oss");

        string canonical = OssSignatureV4.CanonicalRequest(
            method,
            Address("b-one", "/?encryption="),
            Headers($"x-oss-content-sha256=UNSIGNED-PAYLOAD|x-oss-date={Time}|{moreHeaders}"),
            []
        );

        Assert.Equal(
            (vector, signature),
            (vector, OssSignatureV4.Sign("sk", scope, OssSignatureV4.StringToSign(Time, scope, canonical)))
        );
    }

    private static StoreAddress Address(string bucket, string target) =>
        StoreAddress.Parse(OssHosts.Rules, $"{bucket}.oss-cn-hangzhou.aliyuncs.com", target);

    private static ImmutableSortedDictionary<string, string> Headers(string pairs) =>
        pairs
            .Split('|', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .ToImmutableSortedDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
}
