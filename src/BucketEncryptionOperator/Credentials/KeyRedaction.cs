using System.Buffers;
using System.Runtime.CompilerServices;
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

    /// <summary>What is searched for first, by secret; for as long as the secret is in memory.</summary>
    private static readonly ConditionalWeakTable<string, SearchValues<string>> Blocks = [];

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

    /// <summary>Whether the text repeats the secret, in whole or in part.</summary>
    public static bool Repeats(string? text, string? secret)
    {
        if (text is null || secret is not { Length: >= Shortest })
            return false;
        if (!text.AsSpan().ContainsAny(Blocks.GetOrAdd(secret, BlocksOf)))
            return false;
        var length = PieceOf(secret);
        for (var at = 0; at + length <= text.Length; at++)
        {
            if (secret.AsSpan().Contains(text.AsSpan(at, length), StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    /// <summary>
    /// The blocks of which every piece of the secret holds at least one in whole. Nearly every answer of a vendor has
    /// none of them, and need not be searched for each piece.
    /// </summary>
    private static SearchValues<string> BlocksOf(string secret)
    {
        var block = (PieceOf(secret) + 1) / 2;
        var blocks = Enumerable.Range(0, secret.Length / block).Select(i => secret.Substring(i * block, block));
        return SearchValues.Create([.. blocks], StringComparison.OrdinalIgnoreCase);
    }

    private static int PieceOf(string secret) => Math.Min(Piece, secret.Length);

    private static bool Shows(string? text, AccessKey key) => Repeats(text, key) || ShowsId(text, key);

    private static bool ShowsId(string? text, AccessKey key) =>
        key.Id.Length >= Shortest && text?.Contains(key.Id, StringComparison.OrdinalIgnoreCase) == true;
}
