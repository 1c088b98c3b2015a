namespace BucketEncryptionOperator.Tests.Commands;

public sealed partial class BucketRequestTests
{
    [Theory]
    [InlineData("obs://b-one", null, "KMS", "KMS/id:k-1/Aes256")]
    [InlineData("s3://b-one", null, "KMS", "KMS/id:k-1/any")]
    [InlineData("s3://b-one", "jdcloud", "KMS", "KMS/id:k-1/any")]
    [InlineData("s3://b-one", null, "dsse", "DSSE/id:k-1")]
    public void A_put_says_nothing_that_its_vendor_has_no_word_for(
        string url,
        string? vendor,
        string algorithm,
        string fingerprint
    ) =>
        Assert.Equal(
            fingerprint,
            Read(
                Put with
                {
                    Words = [url],
                    Vendor = vendor,
                    Endpoint = null,
                    Region = "cn-north-1",
                    SseAlgorithm = algorithm,
                    KmsKeyId = "k-1",
                }
            ).Desired!.Fingerprint
        );

    [Fact]
    public void A_put_of_DSSE_without_a_key_means_the_vendors() =>
        Assert.Equal(
            "DSSE/vendorDefault",
            Read(
                Put with
                {
                    Words = ["s3://b-one"],
                    Endpoint = null,
                    Region = "eu-west-1",
                    SseAlgorithm = "DSSE",
                }
            ).Desired!.Fingerprint
        );
}
