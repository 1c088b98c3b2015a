using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

public sealed class KmsKeyIdTests
{
    [Theory]
    [InlineData("a bare id is itself", "k-1", "k-1", true)]
    [InlineData("ids are told apart by case", "k-1", "K-1", false)]
    [InlineData("an ARN names the id after key/", "acs:kms:cn-hangzhou:1:key/k-1", "k-1", true)]
    [InlineData("region:domain:key/id names the id", "cn-north-4:domain:key/k-1", "k-1", true)]
    [InlineData("key/id names the id", "key/k-1", "k-1", true)]
    [InlineData("an ARN with another id is another key", "acs:kms:cn-hangzhou:1:key/k-2", "k-1", false)]
    [InlineData("an alias is not an id", "acs:kms:cn-hangzhou:1:alias/k-1", "k-1", false)]
    [InlineData("a name that ends in key/ inside a word is not cut", "monkey/k-1", "k-1", false)]
    [InlineData("a prefix is not the whole", "k-1", "k-10", false)]
    [InlineData("two keys that name nothing after key/ are not the same", "a:key/", "b:key/", false)]
    [InlineData(
        "two qualified names that agree",
        "arn:aws:kms:eu-west-1:1:key/k-1",
        "arn:aws:kms:eu-west-1:1:key/k-1",
        true
    )]
    [InlineData(
        "a key of another region",
        "arn:aws:kms:us-east-1:1:key/mrk-1",
        "arn:aws:kms:eu-west-1:1:key/mrk-1",
        false
    )]
    [InlineData(
        "a key of another account",
        "arn:aws:kms:us-east-1:1:key/k-1",
        "arn:aws:kms:us-east-1:2:key/k-1",
        false
    )]
    [InlineData(
        "a key of another partition",
        "arn:aws:kms:cn-north-1:1:key/k-1",
        "arn:aws-cn:kms:cn-north-1:1:key/k-1",
        false
    )]
    [InlineData("a key of another domain", "cn-north-4:domain-a:key/k-1", "cn-north-4:domain-b:key/k-1", false)]
    [InlineData(
        "an ARN and region:domain of the same place",
        "acs:kms:cn-hangzhou:1:key/k-1",
        "cn-hangzhou:1:key/k-1",
        true
    )]
    [InlineData(
        "an ARN and region:domain of another place",
        "acs:kms:cn-hangzhou:1:key/k-1",
        "cn-beijing:1:key/k-1",
        false
    )]
    [InlineData(
        "an ARN that does not say where is no ARN of a place",
        "arn:aws:kms:::key/k-1",
        "arn:aws:kms:us-east-1:1:key/k-1",
        false
    )]
    [InlineData("an alias and its ARN", "alias/finance", "arn:aws:kms:eu-west-1:1:alias/finance", true)]
    [InlineData(
        "an alias of another account",
        "arn:aws:kms:eu-west-1:2:alias/finance",
        "arn:aws:kms:eu-west-1:1:alias/finance",
        false
    )]
    [InlineData("an alias and a key of that name", "alias/k-1", "k-1", false)]
    [InlineData("MinIO's ARN of a name", "arn:aws:kms:k-1", "k-1", true)]
    [InlineData("MinIO's ARN of another name", "arn:aws:kms:k-1", "k-2", false)]
    [InlineData("MinIO's ARN of nothing", "arn:aws:kms:", "arn:aws:kms:k-1", false)]
    [InlineData(
        "a form that nobody has described is itself",
        "trn:kms:r:1:keyrings/a/keys/b",
        "trn:kms:r:1:keyrings/a/keys/b",
        true
    )]
    [InlineData("and nothing else", "trn:kms:r:1:keyrings/a/keys/b", "b", false)]
    [InlineData("no key is no key", null, "k-1", false)]
    [InlineData("no key is not even itself: it names nothing", null, null, false)]
    public void Same_knows_the_spellings_of_one_key(string sentence, string? a, string? b, bool same)
    {
        Assert.True(same == KmsKeyId.Same(a, b), sentence);
        Assert.True(same == KmsKeyId.Same(b, a), sentence + " (the other way round)");
    }

    [Theory]
    [InlineData("alias/aws/s3", true)]
    [InlineData("arn:aws:kms:eu-west-1:111122223333:alias/aws/s3", true)]
    [InlineData("arn:aws-cn:kms:cn-north-1:111122223333:alias/aws/s3", true)]
    [InlineData("alias/aws/ebs", false)]
    [InlineData("aws/s3", false)]
    [InlineData("k-1", false)]
    [InlineData(null, false)]
    public void The_vendors_own_key_is_known_by_its_alias(string? id, bool isVendors) =>
        Assert.Equal(isVendors, KmsKeyId.IsVendors(id));

    [Theory]
    [InlineData("arn:aws:kms:eu-west-1:111122223333:key/k-1", "eu-west-1", "key/k-1", "k-1")]
    [InlineData("arn:aws:kms:eu-west-1:111122223333:alias/a/b", "eu-west-1", "alias/a/b", "alias/a/b")]
    [InlineData("acs:kms:cn-hangzhou:1:key/k-1", "cn-hangzhou", "key/k-1", "k-1")]
    [InlineData("cn-north-4:d-1:key/k-1", "cn-north-4", "key/k-1", "k-1")]
    [InlineData("arn:aws:kms::111122223333:key/k-1", null, "key/k-1", "k-1")]
    [InlineData("arn:aws:kms:finance", null, "key/finance", "finance")]
    [InlineData("k-1", null, "key/k-1", "k-1")]
    [InlineData("key/k-1", null, "key/k-1", "k-1")]
    [InlineData("alias/finance", null, "alias/finance", "alias/finance")]
    [InlineData("a:b:c", null, "a:b:c", "a:b:c")]
    [InlineData("", null, "key/", "")]
    public void A_name_has_a_region_and_an_id(string name, string? region, string resource, string id)
    {
        Assert.Equal(
            (region, resource, id),
            (KmsKeyId.RegionOf(name), KmsKeyId.ResourceOf(name), KmsKeyId.IdAlone(name))
        );
        Assert.Equal(resource.StartsWith("alias/", StringComparison.Ordinal), KmsKeyId.IsAlias(name));
    }
}
