using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.JDCloud;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Tests.Vendors.JDCloud;

public sealed class JDCloudSignatureTests
{
    /// <summary>The vector of the test of the vendor's C++ signer.</summary>
    [Fact]
    public void Authorize_gives_the_published_signature()
    {
        const string Date = "20090213T233130Z";

        var authorization = SigV4Signer.Authorize(
            new SigV4Input(
                "GET",
                "/",
                [],
                [new("x-jdcloud-date", Date), new("x-jdcloud-nonce", "uuid"), new("host", "vm.cn-north-1.jdcloud.net")],
                SigV4Signer.HashOf([])
            ),
            new AccessKey("ak", "sk", SecurityToken: null),
            Date,
            "cn-north-1",
            JDCloudKeyService.Scheme("vm")
        );

        Assert.Equal(
            "JDCLOUD2-HMAC-SHA256 Credential=ak/20090213/cn-north-1/vm/jdcloud2_request, "
                + "SignedHeaders=host;x-jdcloud-date;x-jdcloud-nonce, "
                + "Signature=43a76892222031f847c00c56cac8d4d2dc179a4e75a37868d09a5300435f4054",
            authorization
        );
    }
}
