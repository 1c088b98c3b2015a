using System.Runtime.CompilerServices;
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
        var scopes = Enumerable
            .Range(0, 3 * SigningKeyChain.MostRemembered)
            .Select(i => Scope with { Region = $"region-{i}" })
            .ToList();

        Parallel.ForEach(
            (IEnumerable<SigningScope>)[.. scopes, .. scopes],
            scope =>
                Assert.Equal(
                    SigningKeyChain.Sign(NewKey("secret"), scope, "text"),
                    SigningKeyChain.Sign(key, scope, "text")
                )
        );

        // Two threads that need room at the same time may make more than they need
        Assert.InRange(SigningKeyChain.CountOf(key), 1, SigningKeyChain.MostRemembered + Environment.ProcessorCount);
    }

    [Fact]
    public void Only_the_scopes_of_one_day_are_remembered()
    {
        var key = NewKey("secret");

        Assert.Equal(1, CountAfter("a1"));
        Assert.Equal(2, CountAfter("b1"));
        Assert.Equal(2, CountAfter("a1"));
        Assert.Equal(1, CountAfter("a2"));
        Assert.Equal(1, CountAfter("a1"));

        int CountAfter(string regionAndDay)
        {
            var scope = Scope with { Region = regionAndDay[..1], Day = $"2013052{regionAndDay[1]}" };
            Assert.Equal(
                SigningKeyChain.Sign(NewKey("secret"), scope, "text"),
                SigningKeyChain.Sign(key, scope, "text")
            );
            return SigningKeyChain.CountOf(key);
        }
    }

    /// <summary>A signing key is as good as the secret for a day, so it must not stay longer than the secret.</summary>
    [Fact]
    public void Nothing_is_remembered_once_the_access_key_is_gone()
    {
        var gone = SignAndForget();

        for (var i = 0; i < 10 && gone.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(gone.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference SignAndForget()
    {
        var key = NewKey("secret");
        SigningKeyChain.Sign(key, Scope, "text");
        return new WeakReference(key);
    }

    private static AccessKey NewKey(string secret) => new("id", secret, SecurityToken: null);
}
