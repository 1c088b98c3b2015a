using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Planning;

internal enum CheckResult
{
    Ok,

    /// <summary>It works, and a person should look.</summary>
    Warning,

    Failed,

    /// <summary>It cannot be found out without a change, or without a right that nobody else needs.</summary>
    NotChecked,
}

/// <summary>One line of <c>doctor</c>.</summary>
/// <param name="Subject">What was looked at: <c>cluster</c>, or a store.</param>
/// <param name="Name">One or two words.</param>
internal sealed record Check(string Subject, string Name, CheckResult Result, string Message)
{
    /// <summary>What a person can do about it; empty where nothing is to be done.</summary>
    public string Hint { get; init; } = "";

    public static Check Of(string subject, string name, Failure failure) =>
        new(subject, name, CheckResult.Failed, $"{failure.Code}: {failure.Message}".TrimEnd(' ', ':'))
        {
            Hint = failure.Hint ?? "",
        };
}
