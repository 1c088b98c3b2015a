namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// An identity that the operator itself has where it runs ("ambient"): a vendor issues temporary keys for it, and no
/// Secret is needed.
/// </summary>
internal abstract record AmbientIdentity : TemporaryIdentity
{
    private AmbientIdentity() { }

    /// <summary>A RAM role that a cluster's service account may take (AssumeRoleWithOIDC).</summary>
    /// <param name="RoleArn">Null: the environment's, as the cluster's webhook sets it.</param>
    /// <param name="OidcProviderArn">Null: the environment's.</param>
    /// <param name="Region">The token service's, unless the environment names another.</param>
    public sealed record Rrsa(string? RoleArn, string? OidcProviderArn, string SessionName, string Region)
        : AmbientIdentity;

    /// <summary>The RAM role of the ECS instance that the operator runs on.</summary>
    /// <param name="Name">Null: as in the instance's metadata.</param>
    public sealed record EcsRamRole(string? Name) : AmbientIdentity;

    /// <summary>An IAM role that a cluster's service account may take (AssumeRoleWithWebIdentity).</summary>
    /// <param name="RoleArn">Null: the environment's, as the cluster's webhook sets it.</param>
    /// <param name="Region">The token service's, unless the environment names another.</param>
    public sealed record WebIdentity(string? RoleArn, string Region) : AmbientIdentity;

    /// <summary>
    /// The IAM role that is associated with the operator's service account: an agent on the node gives its keys.
    /// </summary>
    public sealed record PodIdentity : AmbientIdentity;
}
