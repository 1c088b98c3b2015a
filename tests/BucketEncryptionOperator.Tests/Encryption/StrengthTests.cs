using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

/// <summary>What takes something away from a bucket: of the algorithm, of the key, or of what is blocked.</summary>
public sealed class StrengthTests
{
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Sm4 = new BucketEncryption.Sm4();
    private static readonly BucketEncryption Kms = new BucketEncryption.Kms(null, DataCipher.Aes256);
    private static readonly BucketEncryption KmsKey = new BucketEncryption.Kms("k-1", DataCipher.Aes256);
    private static readonly BucketEncryption Dsse = new BucketEncryption.Dsse(null);
    private static readonly BucketEncryption DsseKey = new BucketEncryption.Dsse("k-1");
    private static readonly BucketEncryption OddCipher = new BucketEncryption.Kms(null, DataCipher.Other);
    private static readonly BucketEncryption OddCipherKey = new BucketEncryption.Kms("k-1", DataCipher.Other);
    private static readonly BucketEncryption Unknown = new BucketEncryption.Other("AES512");

    /// <summary>Each is weaker than all after it.</summary>
    private static readonly BucketEncryption[][] Orders =
    [
        [None, Aes, Kms, KmsKey, DsseKey, OddCipherKey],
        [None, Sm4, Kms, Dsse, DsseKey, Unknown],
        [Kms, Dsse, OddCipher, OddCipherKey],
        [Kms, Dsse, OddCipher, Unknown],
    ];

    public static TheoryData<int> OrderNumbers => [.. Enumerable.Range(0, Orders.Length)];

    [Theory]
    [MemberData(nameof(OrderNumbers))]
    public void Each_is_weaker_than_all_that_follow_it(int order)
    {
        var weakestFirst = Orders[order];
        var pairs =
            from i in Enumerable.Range(0, weakestFirst.Length)
            from j in Enumerable.Range(0, weakestFirst.Length)
            select (A: weakestFirst[i], B: weakestFirst[j], IsWeaker: i < j);

        Assert.All(pairs, p => Assert.True(p.IsWeaker == p.A.IsWeakerThan(p.B), $"{p.A} and {p.B}"));
    }

    [Theory]
    [InlineData("another cipher of the vendor's own keys", nameof(Aes), nameof(Sm4), false, false)]
    [InlineData("one layer with an own key, two with the vendor's", nameof(KmsKey), nameof(Dsse), true, true)]
    [InlineData("an own key, the vendor's under an unknown cipher", nameof(KmsKey), nameof(OddCipher), true, true)]
    [InlineData("an own key, none under an unknown cipher", nameof(OddCipherKey), nameof(OddCipher), false, true)]
    public void Two_that_no_order_has(string sentence, string a, string b, bool isWeaker, bool isStronger)
    {
        var (first, second) = (Named(a), Named(b));

        Assert.True(isWeaker == first.IsWeakerThan(second), sentence);
        Assert.True(isStronger == second.IsWeakerThan(first), sentence);
    }

    [Fact]
    public void The_alias_of_the_vendors_key_is_as_strong_as_that_key()
    {
        BucketEncryption[] aliases =
        [
            new BucketEncryption.Kms("alias/aws/s3", DataCipher.Aes256),
            new BucketEncryption.Dsse("alias/aws/s3"),
        ];

        Assert.All(aliases.Zip([Kms, Dsse]), p => Assert.False(p.First.IsWeakerThan(p.Second)));
        Assert.All(aliases.Zip([Kms, Dsse]), p => Assert.False(p.Second.IsWeakerThan(p.First)));
    }

    [Theory]
    [InlineData("what was blocked is not any more", "SSE-C", "NONE", true)]
    [InlineData("one of two is not any more", "SSE-C,SSE-X", "SSE-C", true)]
    [InlineData("another is blocked in its place", "SSE-X", "SSE-C", true)]
    [InlineData("the same", "SSE-C", "SSE-C", false)]
    [InlineData("more", "SSE-C", "SSE-C,SSE-X", false)]
    [InlineData("nothing was blocked", "NONE", "NONE", false)]
    [InlineData("the bucket has not said", null, "NONE", false)]
    [InlineData("the write does not say, so it stays", "SSE-C", null, false)]
    public void To_unblock_takes_something_away(string sentence, string? before, string? after, bool weakens)
    {
        static BucketEncryption Of(string? words) =>
            Aes with
            {
                Blocked = words is null ? null : BlockedTypes.Of(words.Split(',')),
            };

        Assert.True(weakens == Of(after).Weakens(Of(before)), sentence);
        Assert.False(Of(after).IsWeakerThan(Of(before)), sentence);
        Assert.True(None.Weakens(Of(before)));
    }

    [Theory]
    [InlineData("AES256", "AES256", null)]
    [InlineData("nothing is blocked", "AES256", "NONE")]
    [InlineData("SSE-C is blocked", "AES256 and SSE-C blocked", "SSE-C")]
    [InlineData("two, in an order of their own", "AES256 and SSE-C+SSE-X blocked", "SSE-X,SSE-C,SSE-X")]
    public void What_is_blocked_is_in_the_words_for_people(string sentence, string text, string? words)
    {
        var encryption = Aes with { Blocked = words is null ? null : BlockedTypes.Of(words.Split(',')) };

        Assert.True(text == encryption.ToString(), sentence);
        Assert.Equal(Aes, encryption);
    }

    private static BucketEncryption Named(string name) =>
        name switch
        {
            nameof(Aes) => Aes,
            nameof(Sm4) => Sm4,
            nameof(KmsKey) => KmsKey,
            nameof(Dsse) => Dsse,
            nameof(OddCipher) => OddCipher,
            nameof(OddCipherKey) => OddCipherKey,
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
}
