using System.Text;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// The token of the pod's service account that the kubelet writes into a file and replaces before it ends. Read anew
/// each time: that is once in most of an hour.
/// </summary>
internal static class TokenFile
{
    private const string ReadTokenFile = "ReadTokenFile";
    private const int MaxBytes = 32 * 1024;

    /// <param name="path">Null: the environment does not name one.</param>
    /// <param name="variable">The environment's variable that names it.</param>
    /// <exception cref="KeySourceException">There is no token to be read there.</exception>
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
