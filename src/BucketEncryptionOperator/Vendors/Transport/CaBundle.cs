using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BucketEncryptionOperator.Vendors.Transport;

/// <summary>
/// Certificates in PEM, as a store's owner gives them: the only roots that its endpoint's certificate may then chain
/// to.
/// </summary>
internal static class CaBundle
{
    private const string Label = "CERTIFICATE";
    private const int MaxCertificates = 100;

    /// <summary>Of the text.</summary>
    private const int MaxLength = 64 * 1024;

    /// <returns>What is wrong, without the text; null where it can be used.</returns>
    public static string? ProblemOf(string pem)
    {
        try
        {
            Release(Read(pem));
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    /// <exception cref="FormatException">
    /// The text is no bundle; the message does not repeat it, for it may hold a key by mistake.
    /// </exception>
    public static X509Certificate2Collection Read(string pem)
    {
        if (pem.Length > MaxLength)
            throw new FormatException($"it is longer than {MaxLength} characters");
        var read = new X509Certificate2Collection();
        try
        {
            for (var rest = pem.AsSpan(); PemEncoding.TryFind(rest, out var found); rest = rest[found.Location.End..])
            {
                if (!rest[found.Label].SequenceEqual(Label) || read.Count == MaxCertificates)
                    throw new FormatException(
                        read.Count == MaxCertificates
                            ? $"it has more than {MaxCertificates} certificates"
                            : "it holds something that is no certificate; give certificates only"
                    );
                read.Add(
                    X509CertificateLoader.LoadCertificate(Convert.FromBase64String(rest[found.Base64Data].ToString()))
                );
            }
            return read.Count > 0 ? read : throw new FormatException("it has no certificate in PEM");
        }
        catch (CryptographicException e)
        {
            Release(read);
            throw new FormatException("it holds a certificate that cannot be read", e);
        }
        catch (FormatException)
        {
            Release(read);
            throw;
        }
    }

    private static void Release(X509Certificate2Collection certificates)
    {
        foreach (var certificate in certificates)
            certificate.Dispose();
    }
}
