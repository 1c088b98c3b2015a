using BucketEncryptionOperator.Credentials;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed class KeyRedactionTests(ITestOutputHelper output)
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

    /// <summary>Long texts are searched in parts; the secret may stand across two of them.</summary>
    [Fact]
    public void A_piece_is_found_at_every_place_of_a_long_text()
    {
        var secret = SecretOf(40);
        for (var at = 0; at < 3000; at++)
        {
            var text = new string('-', at) + secret[10..22] + new string('-', 20);
            Assert.True(KeyRedaction.Repeats(text, secret), $"{at}");
        }
    }

    [Fact]
    public void Random_texts_are_judged_as_a_search_for_every_piece_judges_them()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var found = 0;
        for (var i = 0; i < RandomSeed.Cases(20_000); i++)
        {
            // Few letters, in both cases, so that parts of the secret occur by chance and repeat
            var letters = "aAbBcC/+="[..random.Next(2, 10)];
            var secret = RandomText(random, letters, random.Next(1, 60));
            var text = RandomText(random, letters + "-", random.Next(200));
            if (random.Next(2) == 0)
                text = text.Insert(random.Next(text.Length + 1), secret[random.Next(secret.Length)..]);

            var expected = IsRepeated(text, secret);

            Assert.True(expected == KeyRedaction.Repeats(text, secret), $"{text} {secret}");
            found += expected ? 1 : 0;
        }
        Assert.True(found > 0, "the texts repeat nothing");

        static bool IsRepeated(string text, string secret) =>
            secret.Length >= 8
            && Enumerable
                .Range(0, Math.Max(0, secret.Length - 12) + 1)
                .Select(i => secret.Substring(i, Math.Min(12, secret.Length)))
                .Any(p => text.Contains(p, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>It takes milliseconds; to compare each place with the whole token takes minutes.</summary>
    [Fact]
    public async Task A_text_made_up_to_be_slow_is_searched_in_time()
    {
        var token = new string('a', 4000) + SecretOf(96);
        var text = string.Concat(Enumerable.Repeat(new string('a', 11) + "-", 4 * 1024 * 1024 / 12));

        Assert.False(await Task.Run(() => KeyRedaction.Repeats(text, token)).Within());
    }

    private static string RandomText(Random random, string letters, int length) =>
        new([.. Enumerable.Range(0, length).Select(_ => letters[random.Next(letters.Length)])]);

    /// <summary>A text in which no eight characters occur twice.</summary>
    private static string SecretOf(int length)
    {
        var random = new Random(length);
        return new string([.. Enumerable.Range(0, length).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
    }
}
