using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.Signing;

/// <summary>What a signing key of version 4 is for.</summary>
/// <param name="KeyPrefix">Before the secret, where the chain begins.</param>
/// <param name="Day">In UTC, as <c>yyyyMMdd</c>.</param>
internal readonly record struct SigningScope(
    string KeyPrefix,
    string Day,
    string Region,
    string Service,
    string Terminator
)
{
    /// <summary>As it stands in the credential and in the text to sign.</summary>
    public string Text => $"{Day}/{Region}/{Service}/{Terminator}";
}

/// <summary>
/// The signing keys of version 4, of AWS as of OSS: each is the end of a chain of HMACs that begins at the secret and
/// goes through the parts of the scope. A key is good for a day, so those of the day are remembered with the access
/// key, for as long as it is in memory.
/// </summary>
internal static class SigningKeyChain
{
    /// <summary>
    /// Maximum number of scopes that are remembered of an access key: one per service and region of its stores.
    /// </summary>
    internal const int MostRemembered = 128;

    // Static, so that signers need no owner; it holds nothing that its access key does not.
    private static readonly ConditionalWeakTable<AccessKey, ConcurrentDictionary<SigningScope, byte[]>> Remembered = [];

    /// <summary>Number of scopes whose signing keys are remembered.</summary>
    internal static int CountOf(AccessKey key) => Remembered.TryGetValue(key, out var known) ? known.Count : 0;

    public static byte[] Sign(AccessKey key, SigningScope scope, string text) => Hmac(KeyOf(key, scope), text);

    private static byte[] KeyOf(AccessKey key, SigningScope scope)
    {
        var known = Remembered.GetOrAdd(key, static _ => new ConcurrentDictionary<SigningScope, byte[]>());
        if (known.TryGetValue(scope, out var found))
            return found;
        foreach (var (other, _) in known)
        {
            if (other.Day != scope.Day || known.Count >= MostRemembered)
                known.TryRemove(other, out _);
        }
        return known[scope] = Derive(key.Secret, scope);
    }

    private static byte[] Derive(string secret, SigningScope scope)
    {
        var key = Hmac(Encoding.UTF8.GetBytes(scope.KeyPrefix + secret), scope.Day);
        foreach (var step in (ReadOnlySpan<string>)[scope.Region, scope.Service, scope.Terminator])
            key = Hmac(key, step);
        return key;
    }

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
