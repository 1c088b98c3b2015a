using System.Collections.Immutable;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// <c>{algorithm} Credential={id},SignedHeaders=a;b,Signature={hex}</c> (Huawei: <c>Access={id}</c>), unverified.
/// </summary>
internal sealed record HmacClaim(string AccessKeyId, ImmutableArray<string> SignedHeaders, string Signature)
{
    public static HmacClaim? Parse(string? header, string algorithm, string idName)
    {
        if (header is null || !header.StartsWith(algorithm + " ", StringComparison.Ordinal))
        {
            return null;
        }

        Dictionary<string, string> values = new(StringComparer.Ordinal);
        foreach (string part in header[algorithm.Length..].Split(',', StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !values.TryAdd(part[..equals], part[(equals + 1)..]))
            {
                return null;
            }
        }

        return
            values.GetValueOrDefault(idName) is { Length: > 0 } id
            && values.TryGetValue("SignedHeaders", out string? names)
            && values.TryGetValue("Signature", out string? signature)
            ? new HmacClaim(id, [.. names.Split(';')], signature)
            : null;
    }

    public override string ToString() => $"HmacClaim {{ AccessKeyId = {AccessKeyId} }}";
}
