using System.Globalization;
using System.Text;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// Writes byte for byte what ossutil 1.7.19 prints, errors too, all on stdout, with its exit codes: scripts read it.
/// Other vendors get the same form. Three lines are not ossutil's: a key's project, a bucket key, and what is blocked,
/// each only where there is one.
/// </summary>
internal static class OssutilOutput
{
    private const string GetOperation = "GetBucketEncryption";

    public static RenderedOutput Render(CommandTarget? target, CommandResult result, TimeSpan elapsed) =>
        result switch
        {
            CommandResult.Read { NotConfigured: null } read => new(
                Lines(read.Encryption) + "\n\n" + Elapsed(elapsed),
                0
            ),
            CommandResult.Read read => Failed(target, read.NotConfigured),
            CommandResult.Written => new(Elapsed(elapsed), 0),
            CommandResult.Failed failed => Failed(target, failed.Failure),
            CommandResult.Unusable unusable => new($"Error: {unusable.Problem}\n", 1),
            CommandResult.Interrupted => new(
                $"Error: {CommandResult.Interrupted.Message}\n",
                RenderedOutput.Interrupted
            ),
            CommandResult.Broken => new($"Error: {CommandResult.Broken.Message}\n", 1),
            _ => throw new InvalidOperationException(result.GetType().Name),
        };

    private static RenderedOutput Failed(CommandTarget? target, Failure failure)
    {
        var error = failure.HttpStatus is null
            ? $"{failure.Operation}: {failure.Message} ({failure.Code})"
            : ServiceError(target, failure);
        var info = target?.Method == BucketMethod.Get ? $"{GetOperation} error,info:{error}\n" : "";
        return new($"{info}Error: {error}\n", 1);
    }

    private static string ServiceError(CommandTarget? target, Failure failure)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"{target?.Vendor.Shell.Scheme}: service returned error: StatusCode={failure.HttpStatus}, "
                + $"ErrorCode={failure.Code}, "
        );
        text.Append(CultureInfo.InvariantCulture, $"ErrorMessage=\"{failure.Message}\", RequestId={failure.RequestId}");
        if (failure.Endpoint is not null)
            text.Append(CultureInfo.InvariantCulture, $", Endpoint={failure.Endpoint}");
        if (failure.Ec is not null)
            text.Append(CultureInfo.InvariantCulture, $", Ec={failure.Ec}");
        return text.ToString();
    }

    private static string Lines(BucketEncryption encryption) =>
        $"SSEAlgorithm:{encryption.Algorithm}\n"
        + KeyLines(encryption)
        + (encryption.Blocked is { IsEmpty: false } blocked ? $"BlockedEncryptionTypes:{blocked}\n" : "");

    private static string KeyLines(BucketEncryption encryption)
    {
        if (encryption is not BucketEncryption.Kms kms)
            return encryption.UsesKms ? $"KMSMasterKeyID:{encryption.KmsKey}\n" : "";
        var cipher = kms.Cipher switch
        {
            DataCipher.Sm4 => "SM4",
            DataCipher.Other => "unknown",
            _ => "",
        };
        return $"KMSMasterKeyID:{kms.KeyId}\nKMSDataEncryption:{cipher}\n"
            + (kms.ProjectId is null ? "" : $"ProjectID:{kms.ProjectId}\n")
            + (kms.BucketKeyEnabled ? "BucketKeyEnabled:true\n" : "");
    }

    private static string Elapsed(TimeSpan elapsed) =>
        string.Create(CultureInfo.InvariantCulture, $"\n{elapsed.TotalSeconds:0.000000}(s) elapsed\n");
}
