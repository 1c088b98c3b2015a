namespace BucketEncryptionOperator.Api;

/// <summary>The types of conditions in the status of a policy or store: docs/status.md, "Conditions".</summary>
internal static class ConditionTypes
{
    /// <summary>The operator has done what the object asks for.</summary>
    public const string Ready = "Ready";

    /// <summary>Every bucket of a policy is encrypted as declared.</summary>
    public const string Compliant = "Compliant";

    /// <summary>
    /// New uploads can be encrypted with the KMS keys of a policy. Present only where a key is named and its state can
    /// be asked for.
    /// </summary>
    public const string KeyUsable = "KeyUsable";

    /// <summary>Present only while True: waiting may resolve what keeps the object from being Ready.</summary>
    public const string Reconciling = "Reconciling";

    /// <summary>Present only while True: waiting alone will not resolve it.</summary>
    public const string Stalled = "Stalled";
}
