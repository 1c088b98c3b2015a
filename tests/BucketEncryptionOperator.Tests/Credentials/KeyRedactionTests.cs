using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed class KeyRedactionTests
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    /// <summary>Lengths of secrets: those that are searched for in one piece, in several, and a token's.</summary>
    public static TheoryData<int> Lengths => [8, 9, 11, 12, 13, 18, 30, 40, 200, 1000];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Every_piece_of_a_secret_is_found_wherever_it_stands(int length)
    {
        var secret = SecretOf(length);
        var piece = Math.Min(12, length);

        for (var at = 0; at + piece <= length; at++)
        {
            var part = secret.Substring(at, piece).ToLowerInvariant();
            Assert.True(KeyRedaction.Repeats(part, secret), part);
            Assert.True(KeyRedaction.Repeats($"<Message>{part}!</Message>", secret), part);
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Less_than_a_piece_is_no_secret(int length)
    {
        var secret = SecretOf(length);
        var less = Math.Min(12, length) - 1;

        for (var at = 0; at + less <= length; at++)
            Assert.False(KeyRedaction.Repeats($"-{secret.AsSpan(at, less)}-", secret));
    }

    /// <summary>A text in which no eight characters occur twice.</summary>
    private static string SecretOf(int length)
    {
        var random = new Random(length);
        return new string([.. Enumerable.Range(0, length).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
    }
}
