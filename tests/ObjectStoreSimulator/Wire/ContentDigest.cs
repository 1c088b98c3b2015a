using System.Security.Cryptography;

namespace ObjectStoreSimulator.Wire;

internal enum DigestVerdict
{
    Absent,
    Right,

    /// <summary>Not a digest at all.</summary>
    Malformed,

    /// <summary>A digest of something else.</summary>
    Wrong,
}

/// <summary>Compares what a request says about its body with the body.</summary>
internal static class ContentDigest
{
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5351", Justification = "Content-MD5 is MD5.")]
    public static DigestVerdict CheckMd5(StoreRequest request) => Check(request, "content-md5", MD5.HashData);

    /// <summary>
    /// The <c>x-amz-checksum-…</c> headers; of those that this simulator cannot compute (CRC32C, CRC64NVME) only the
    /// form is looked at.
    /// </summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage(
        "Security",
        "CA5350",
        Justification = "x-amz-checksum-sha1 is SHA-1."
    )]
    public static DigestVerdict CheckAmzChecksum(StoreRequest request)
    {
        DigestVerdict[] verdicts =
        [
            Check(request, "x-amz-checksum-crc32", Crc32),
            Check(request, "x-amz-checksum-sha1", SHA1.HashData),
            Check(request, "x-amz-checksum-sha256", SHA256.HashData),
            CheckForm(request, "x-amz-checksum-crc32c", 4),
            CheckForm(request, "x-amz-checksum-crc64nvme", 8),
        ];
        return verdicts.Max();
    }

    private static DigestVerdict Check(StoreRequest request, string header, Func<byte[], byte[]> digest)
    {
        byte[] right = digest(request.Body.ToArray());
        DigestVerdict form = CheckForm(request, header, right.Length);
        return form == DigestVerdict.Right && request.Header(header) != Convert.ToBase64String(right)
            ? DigestVerdict.Wrong
            : form;
    }

    private static DigestVerdict CheckForm(StoreRequest request, string header, int length)
    {
        if (request.Header(header) is not { } text)
        {
            return DigestVerdict.Absent;
        }

        Span<byte> sent = stackalloc byte[64];
        return Convert.TryFromBase64String(text, sent, out int written) && written == length
            ? DigestVerdict.Right
            : DigestVerdict.Malformed;
    }

    /// <summary>CRC-32 of ISO 3309 (the one of zip), big-endian as the header has it.</summary>
    private static byte[] Crc32(byte[] data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320u;
            }
        }

        byte[] digest = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(digest, ~crc);
        return digest;
    }
}
