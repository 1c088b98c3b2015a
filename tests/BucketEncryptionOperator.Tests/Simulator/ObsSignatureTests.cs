using System.Collections.Immutable;
using ObjectStoreSimulator.Huawei;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// The simulator's OBS signature against strings and signatures that others published or that esdk-obs-nodejs 3.26.8
/// was recorded to send, byte for byte. Source of the first three: unit tests of reqsign, whose signatures were made
/// with Huawei's online signature tool.
/// </summary>
public sealed class ObsSignatureTests
{
    private const string Day = "Mon, 15 Aug 2022 16:50:12 GMT";
    private const string Recorded = "Sat, 21 Nov 2026 01:51:01 GMT";
    private const string Deleted = "Sat, 21 Nov 2026 01:50:03 GMT";
    private const string Object = $"content-md5=abc|content-type=text/plain|date={Day}";
    private const string SignedObject = $"GET\nabc\ntext/plain\n{Day}\n";

    [Theory]
    [InlineData(
        "OBS-1",
        "123456",
        "GET",
        "bucket",
        "/object.txt",
        Object,
        SignedObject + "/bucket/object.txt",
        "9gUZ4ol2W19LyYcc92Bu3U0V09E="
    )]
    [InlineData(
        "OBS-2",
        "123456",
        "GET",
        "bucket",
        "/object.txt?name=hello&abc=def",
        Object,
        SignedObject + "/bucket/object.txt?name=hello",
        "EaTKiO1Qh5KFUvWAVvbCNGktJUY="
    )]
    [InlineData(
        "OBS-3",
        "123456",
        "GET",
        "bucket",
        "/?name=hello&abc=def",
        Object,
        SignedObject + "/bucket/?name=hello",
        "9OdOsf8PRdhGhpkp7IIbKE0kRvA="
    )]
    [InlineData(
        "OBS-E1",
        "sk",
        "PUT",
        "b-one",
        "/?encryption",
        $"date={Recorded}",
        $"PUT\n\n\n{Recorded}\n/b-one/?encryption",
        "dSTxa/cf8rkTZrmEiBXJedJC5Rs="
    )]
    [InlineData(
        "OBS-E2",
        "sk",
        "GET",
        "b-one",
        "/?encryption",
        $"date={Recorded}",
        $"GET\n\n\n{Recorded}\n/b-one/?encryption",
        "oPGayWk4K4HSls3RGt/Pzpy9KTA="
    )]
    [InlineData(
        "OBS-E3",
        "sk",
        "DELETE",
        "b-one",
        "/?encryption",
        $"date={Deleted}|x-obs-security-token=tok",
        $"DELETE\n\n\n{Deleted}\nx-obs-security-token:tok\n/b-one/?encryption",
        "Vhw5YANM/iCOWbVHf+y6OAsZixo="
    )]
    public void It_is_as_published(
        string vector,
        string secret,
        string method,
        string bucket,
        string target,
        string headers,
        string stringToSign,
        string signature
    )
    {
        string built = StringToSign(
            ObsWords.Native,
            method,
            $"{bucket}.obs.cn-north-4.myhuaweicloud.com",
            target,
            headers
        );

        Assert.Equal((vector, stringToSign), (vector, built));
        Assert.Equal((vector, signature), (vector, ObsSignature.Sign(secret, built)));
    }

    [Theory]
    [InlineData("path style with the slash", "127.0.0.1:8080", "/b-one/?encryption", "/b-one/?encryption")]
    [InlineData("path style as the SDKs send it", "127.0.0.1:8080", "/b-one?encryption", "/b-one?encryption")]
    [InlineData("a custom domain", "files.example", "/?encryption", "/files.example/?encryption")]
    [InlineData(
        "a name in another case is signed as it is",
        "b-one.obs.cn-north-4.myhuaweicloud.com",
        "/?Encryption&ACL=",
        "/b-one/?ACL&Encryption"
    )]
    public void The_resource_is_what_was_sent(string what, string host, string target, string resource)
    {
        Assert.Equal(
            (what, $"GET\n\n\n{Day}\n{resource}"),
            (what, StringToSign(ObsWords.Native, "GET", host, target, $"date={Day}"))
        );
    }

    [Fact]
    public void The_date_gives_way_to_x_obs_date_and_only_ones_own_headers_are_signed()
    {
        string headers = $"date={Day}|x-amz-date=a|x-obs-acl= private |x-obs-date={Day}";

        Assert.Equal(
            $"GET\n\n\n\nx-obs-acl:private\nx-obs-date:{Day}\n/b/",
            StringToSign(ObsWords.Native, "GET", "b.obs.cn-north-4.myhuaweicloud.com", "/", headers)
        );
        Assert.Equal(
            "GET\n\n\n\nx-amz-date:a\n/b/",
            StringToSign(ObsWords.Aws, "GET", "b.obs.cn-north-4.myhuaweicloud.com", "/", headers)
        );
    }

    private static string StringToSign(ObsWords words, string method, string host, string target, string headers) =>
        ObsSignature.StringToSign(
            words,
            method,
            StoreAddress.Parse(HuaweiDialect.Hosts, host, target, domain => domain == "files.example" ? "b-one" : null),
            headers
                .Split('|')
                .Select(pair => pair.Split('=', 2))
                .ToImmutableSortedDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal)
        );
}
