using System.Buffers;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>
/// Recognizes answers of Ceph's gateway. Ceph names itself in <c>Server</c> unless it is
/// configured not to, or a proxy replaces the header; its request ids (<c>tx</c> and 21 hexadecimal digits, the time,
/// the gateway, the zone) stay.
/// </summary>
internal static class CephAnswers
{
    private const string ServerName = "Ceph Object Gateway";
    private const string IdPrefix = "tx";
    private const int NumberLength = 21;
    private const int TimeLength = 10;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    public static bool IsCeph(VendorResponse answer) =>
        answer.Headers.Server.ToString().Contains(ServerName, StringComparison.Ordinal)
        || answer.Header("x-amz-request-id")?.Split('-', 4)
            is [var number, { Length: >= TimeLength } time, { Length: > 0 } gateway, { Length: > 0 }]
            && number.StartsWith(IdPrefix, StringComparison.Ordinal)
            && number.Length == IdPrefix.Length + NumberLength
            && IsHex(number.AsSpan(IdPrefix.Length))
            && IsHex(time)
            && IsHex(gateway);

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Hex);
}
