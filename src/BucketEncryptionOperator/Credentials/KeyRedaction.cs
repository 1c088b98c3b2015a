using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// Keeps an access key out of what an endpoint says. An id and a token are sent in clear, so a careless endpoint, or
/// one that is not the vendor's, may repeat them in any text of its answer; those texts end in statuses, events, logs
/// and traces.
/// </summary>
internal static class KeyRedaction
{
    private const string IdRemoved = "(access key id)";

    /// <summary>
    /// Minimum length of what is searched for: vendors' keys are longer, and shorter texts occur in any sentence.
    /// </summary>
    private const int Shortest = 8;

    /// <summary>
    /// Length of the pieces that a secret or token is searched for in. Texts are cut before they get here, and a token
    /// of 1000 characters is then there in part only.
    /// </summary>
    private const int Piece = 12;

    /// <summary>Texts are searched in parts of this length, so that the first look stays exact enough.</summary>
    private const int PartLength = 1024;

    /// <summary>Of the first look: 16 bits of the table for each character of a part.</summary>
    private const int HashBits = 14;

    /// <summary>The bit in which a letter of ASCII differs from its upper case.</summary>
    private const char LowerCase = ' ';

    /// <summary>
    /// The failure without the key: a text that repeats the secret or token is dropped, and an id is replaced.
    /// </summary>
    public static Failure Redact(Failure failure, AccessKey key)
    {
        var isForged = Shows(failure.Code, key);
        return failure with
        {
            Code = isForged ? Reasons.Withheld.Name : failure.Code,
            IsVendorAnswer = failure.IsVendorAnswer && !isForged, // no vendor has such a code
            Message = Redact(failure.Message, key),
            Hint = Redact(failure.Hint, key),
            Endpoint = Shows(failure.Endpoint, key) ? null : failure.Endpoint,
            Ec = Shows(failure.Ec, key) ? null : failure.Ec,
            RequestId = Shows(failure.RequestId, key) ? null : failure.RequestId,
        };
    }

    /// <summary>The text without the key: null where it repeats the secret or token; an id is replaced.</summary>
    public static string? Redact(string? text, AccessKey key) =>
        Repeats(text, key) ? null
        : ShowsId(text, key) ? text?.Replace(key.Id, IdRemoved, StringComparison.OrdinalIgnoreCase)
        : text;

    /// <summary>Whether the text repeats the secret or the token of the key, in whole or in part.</summary>
    public static bool Repeats(string? text, AccessKey key) =>
        Repeats(text, key.Secret) || Repeats(text, key.SecurityToken);

    /// <summary>
    /// Whether the text repeats the secret, in whole or in part. It takes time in proportion to the length of the text,
    /// whatever an endpoint has made up. Secrets and tokens are of ASCII.
    /// </summary>
    public static bool Repeats(string? text, string? secret)
    {
        if (text is null || secret is not { Length: >= Shortest })
            return false;
        var length = Math.Min(Piece, secret.Length);
        HashSet<string>? pieces = null;
        // Parts overlap, so that each piece is in one of them in whole.
        for (var at = 0; at + length <= text.Length; at += PartLength - length + 1)
        {
            var part = text.AsSpan(at, Math.Min(PartLength, text.Length - at));
            if (!MayRepeat(part, secret, length))
                continue;
            pieces ??= PiecesOf(secret, length);
            var lookup = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
            for (var i = 0; i + length <= part.Length; i++)
            {
                if (lookup.Contains(part.Slice(i, length)))
                    return true;
            }
        }
        return false;
    }

    private static HashSet<string> PiecesOf(string secret, int length) =>
        Enumerable
            .Range(0, secret.Length - length + 1)
            .Select(i => secret.Substring(i, length))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// A first look that may err only by saying yes: whether the secret has, for each run of four characters of some
    /// piece, one in the text whose hash is the same. Nearly no answer of a vendor does.
    /// </summary>
    private static bool MayRepeat(ReadOnlySpan<char> text, ReadOnlySpan<char> secret, int length)
    {
        Span<ulong> seen = stackalloc ulong[1 << (HashBits - 6)];
        seen.Clear();
        uint four = 0;
        for (var i = 0; i < text.Length; i++)
        {
            four = (four << 8) | (byte)(text[i] | LowerCase);
            if (i >= 3)
                seen[HashOf(four) >> 6] |= 1UL << HashOf(four);
        }
        var found = 0; // neighbouring runs
        for (var i = 0; i < secret.Length; i++)
        {
            four = (four << 8) | (byte)(secret[i] | LowerCase);
            if (i < 3)
                continue;
            found = (seen[HashOf(four) >> 6] & (1UL << HashOf(four))) != 0 ? found + 1 : 0;
            if (found == length - 3)
                return true;
        }
        return false;
    }

    private static int HashOf(uint four) => (int)(four * 2654435761 >> (32 - HashBits));

    private static bool Shows(string? text, AccessKey key) => Repeats(text, key) || ShowsId(text, key);

    private static bool ShowsId(string? text, AccessKey key) =>
        key.Id.Length >= Shortest && text?.Contains(key.Id, StringComparison.OrdinalIgnoreCase) == true;
}
