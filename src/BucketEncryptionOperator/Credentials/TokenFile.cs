using System.Text;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// Reads the token of the pod's service account, which the kubelet writes into a file and replaces before it expires.
/// It is read each time it is needed, about once per hour.
/// </summary>
internal static class TokenFile
{
    private const string ReadTokenFile = "ReadTokenFile";
    private const int MaxBytes = 32 * 1024;

    /// <param name="path">Path of the file. Null if the environment does not name one.</param>
    /// <param name="variable">The environment variable that names it.</param>
    /// <exception cref="KeySourceException">The file has no token.</exception>
    public static async Task<string> ReadAsync(string? path, string variable, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(path))
            throw IdentityErrors.NotSetUp(
                ReadTokenFile,
                Reasons.TokenFileNotNamed,
                $"the environment has no {variable}.",
                "Let the cluster's webhook set it, or set it in the operator's Deployment (docs/credentials.md)."
            );
        var bytes = new byte[MaxBytes + 1];
        int length;
        try
        {
            await using var file = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete
            );
            length = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var missing = e is FileNotFoundException or DirectoryNotFoundException;
            throw Unusable(
                missing ? Reasons.TokenFileMissing : Reasons.TokenFileUnreadable,
                path,
                missing ? "is not there" : "cannot be read"
            );
        }
        var token = length > MaxBytes ? "" : Encoding.UTF8.GetString(bytes, 0, length).Trim();
        return token.Length > 0 && VisibleAscii.IsAll(token)
            ? token
            : throw Unusable(Reasons.TokenFileInvalid, path, "has no token in it");
    }

    private static KeySourceException Unusable(FailureReason reason, string path, string what) =>
        IdentityErrors.NotSetUp(
            ReadTokenFile,
            reason,
            $"{path} {what}.",
            "The pod needs a projected service account token there (docs/credentials.md)."
        );
}
