using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Tests.Vendors.Signing;

/// <summary>What is remembered must be what a key without a memory derives.</summary>
public sealed class SigningKeyChainTests
{
    private static readonly SigningScope Scope = new("AWS4", "20130524", "us-east-1", "s3", "aws4_request");

    public static TheoryData<string> Parts => ["prefix", "day", "region", "service", "terminator"];

    [Theory]
    [MemberData(nameof(Parts))]
    public void Each_part_of_the_scope_has_a_key_of_its_own(string part)
    {
        var key = NewKey("secret");
        var other = part switch
        {
            "prefix" => Scope with { KeyPrefix = "aliyun_v4" },
            "day" => Scope with { Day = "20130525" },
            "region" => Scope with { Region = "eu-west-1" },
            "service" => Scope with { Service = "kms" },
            _ => Scope with { Terminator = "aliyun_v4_request" },
        };

        var first = SigningKeyChain.Sign(key, Scope, "text");
        var second = SigningKeyChain.Sign(key, other, "text");

        Assert.NotEqual(first, second);
        Assert.Equal(SigningKeyChain.Sign(NewKey("secret"), other, "text"), second);
        Assert.Equal(first, SigningKeyChain.Sign(key, Scope, "text"));
    }

    [Fact]
    public void A_key_with_another_secret_signs_with_it()
    {
        var key = NewKey("old");
        var old = SigningKeyChain.Sign(key, Scope, "text");

        var changed = SigningKeyChain.Sign(key with { Secret = "new" }, Scope, "text");

        Assert.NotEqual(old, changed);
        Assert.Equal(SigningKeyChain.Sign(NewKey("new"), Scope, "text"), changed);
    }

    [Fact]
    public void Many_scopes_of_one_key_each_sign_as_they_should()
    {
        var key = NewKey("secret");
        var scopes = Enumerable.Range(0, 100).Select(i => Scope with { Region = $"region-{i}" }).ToList();

        foreach (var scope in (IEnumerable<SigningScope>)[.. scopes, .. scopes])
            Assert.Equal(
                SigningKeyChain.Sign(NewKey("secret"), scope, "text"),
                SigningKeyChain.Sign(key, scope, "text")
            );
    }

    private static AccessKey NewKey(string secret) => new("id", secret, SecurityToken: null);
}
