using System.Text.Json;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// One line of JSON, whatever happens. Its fields are a promise (docs/bucket-encryption-command.md): they may become
/// more, and none changes its meaning. Unlike ossutil's form, "nothing is configured" is a value here: algorithm None,
/// exit code 0.
/// </summary>
internal static class JsonOutput
{
    public static RenderedOutput Show(CommandTarget? task, CommandResult result, TimeSpan elapsed)
    {
        var answer = new JsonAnswer
        {
            Method = task?.Method.ToString().ToLowerInvariant(),
            Vendor = task?.Vendor.Name,
            Bucket = task?.Bucket,
            Encryption = result switch
            {
                CommandResult.Read read => Describe(read.Encryption),
                CommandResult.Written written => Describe(written.Encryption),
                _ => null,
            },
            Error = result switch
            {
                CommandResult.Failed failed => Describe(failed.Failure),
                CommandResult.Unusable unusable => new JsonError
                {
                    Kind = nameof(FailureKind.Invalid),
                    Code = "InvalidArguments",
                    Message = unusable.Problem,
                },
                CommandResult.Interrupted => new JsonError
                {
                    Kind = nameof(FailureKind.Transient),
                    Code = CommandResult.Interrupted.Code,
                    Message = CommandResult.Interrupted.Message,
                },
                CommandResult.Broken => new JsonError
                {
                    Kind = nameof(FailureKind.Bug),
                    Code = Reasons.OperatorBug.Name,
                    Message = CommandResult.Broken.Message,
                },
                _ => null,
            },
            ElapsedSeconds = Math.Round(elapsed.TotalSeconds, 6),
        };
        var exitCode = result switch
        {
            CommandResult.Interrupted => RenderedOutput.Interrupted,
            _ when answer.Error is not null => 1,
            _ => 0,
        };
        return new(JsonSerializer.Serialize(answer, JsonOutputContext.Default.JsonAnswer) + "\n", exitCode);
    }

    private static JsonEncryption Describe(BucketEncryption encryption)
    {
        if (encryption is not BucketEncryption.Kms kms)
            return new JsonEncryption { Algorithm = encryption.ToString() };
        return new JsonEncryption
        {
            Algorithm = "KMS",
            KmsKeyId = kms.KeyId,
            KmsDataEncryption = kms.Cipher switch
            {
                DataCipher.Sm4 => "SM4",
                DataCipher.Other => "unknown",
                _ => "AES256",
            },
            KmsProjectId = kms.ProjectId,
            BucketKeyEnabled = kms.BucketKeyEnabled,
        };
    }

    private static JsonError Describe(Failure failure) =>
        new()
        {
            Kind = failure.Kind.ToString(),
            Operation = failure.Operation,
            Code = failure.Code,
            HttpStatus = failure.HttpStatus,
            Ec = failure.Ec,
            Message = failure.Message,
            Endpoint = failure.Endpoint,
            RequestId = failure.RequestId,
        };
}

internal sealed record JsonAnswer
{
    public string? Method { get; init; }

    public string? Vendor { get; init; }

    public string? Bucket { get; init; }

    public JsonEncryption? Encryption { get; init; }

    public JsonError? Error { get; init; }

    public required double ElapsedSeconds { get; init; }
}

internal sealed record JsonEncryption
{
    public required string Algorithm { get; init; }

    public string? KmsKeyId { get; init; }

    public string? KmsDataEncryption { get; init; }

    public string? KmsProjectId { get; init; }

    public bool? BucketKeyEnabled { get; init; }
}

internal sealed record JsonError
{
    public required string Kind { get; init; }

    public string? Operation { get; init; }

    public required string Code { get; init; }

    public int? HttpStatus { get; init; }

    public string? Ec { get; init; }

    public string? Message { get; init; }

    public string? Endpoint { get; init; }

    public string? RequestId { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(JsonAnswer))]
internal sealed partial class JsonOutputContext : JsonSerializerContext;
