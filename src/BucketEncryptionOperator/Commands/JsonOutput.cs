using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// Writes one line of JSON, whatever happens. Its fields and their values are a promise
/// (docs/bucket-encryption-command.md): a version may add fields, and does not change their meaning. Unlike in
/// ossutil's form, "nothing is configured" is a value: algorithm None, exit code 0.
/// </summary>
internal static class JsonOutput
{
    public static RenderedOutput Render(CommandTarget? target, CommandResult result, TimeSpan elapsed)
    {
        var answer = new JsonAnswer
        {
            Method = target is null ? null : MethodOf(target.Method),
            Vendor = target?.Vendor.Name,
            Bucket = target?.Bucket,
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
                    Kind = KindOf(FailureKind.Invalid),
                    Code = "InvalidArguments",
                    Message = unusable.Problem,
                },
                CommandResult.Interrupted => new JsonError
                {
                    Kind = KindOf(FailureKind.Transient),
                    Code = CommandResult.Interrupted.Code,
                    Message = CommandResult.Interrupted.Message,
                },
                CommandResult.Broken => new JsonError
                {
                    Kind = KindOf(FailureKind.Bug),
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
        var common = new JsonEncryption
        {
            Algorithm = encryption.Algorithm,
            KmsKeyId = encryption.KmsKey,
            BlockedEncryptionTypes = encryption.Blocked?.Words,
        };
        if (encryption is not BucketEncryption.Kms kms)
            return common;
        return common with
        {
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
            Kind = KindOf(failure.Kind),
            Operation = failure.Operation,
            Code = failure.Code,
            HttpStatus = failure.HttpStatus,
            Ec = failure.Ec,
            Message = failure.Message,
            Endpoint = failure.Endpoint,
            RequestId = failure.RequestId,
        };

    private static string MethodOf(BucketMethod method) =>
        method switch
        {
            BucketMethod.Get => "get",
            BucketMethod.Put => "put",
            BucketMethod.Delete => "delete",
            _ => throw new InvalidOperationException($"no word for {method}"),
        };

    private static string KindOf(FailureKind kind) =>
        kind switch
        {
            FailureKind.Transient => "Transient",
            FailureKind.Throttled => "Throttled",
            FailureKind.Conflict => "Conflict",
            FailureKind.Denied => "Denied",
            FailureKind.Missing => "Missing",
            FailureKind.Invalid => "Invalid",
            FailureKind.Refused => "Refused",
            FailureKind.Bug => "Bug",
            _ => throw new InvalidOperationException($"no word for {kind}"),
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

    public ImmutableArray<string>? BlockedEncryptionTypes { get; init; }
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
