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
    [InlineData("no key is no key", null, "k-1", false)]
    [InlineData("no key is not even itself: it names nothing", null, null, false)]
    public void Same_knows_the_spellings_of_one_key(string sentence, string? a, string? b, bool same)
    {
        Assert.True(same == KmsKeyId.Same(a, b), sentence);
        Assert.True(same == KmsKeyId.Same(b, a), sentence + " (the other way round)");
    }
}
