using System.Collections.Immutable;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>Where a signature names a region.</summary>
internal enum RegionUse
{
    None,
    InSignature,

    /// <summary>In version 4; version 1, which can be asked for, has none.</summary>
    InSignature4,
}

/// <summary>Environment variables that the vendor's own tools read a key from.</summary>
internal sealed record KeyVariables(string Id, string Secret, string Token);

/// <summary>A vendor's names on a command line and in an environment.</summary>
/// <param name="Scheme">Scheme of a bucket's URL.</param>
/// <param name="Word">Value of <c>--vendor</c>.</param>
/// <param name="Region">Whether a request can be signed without a region.</param>
/// <param name="Keys">
/// The first that is set counts. Empty where the vendor's tools have no variables: another vendor's key must not be
/// sent to it by accident.
/// </param>
internal sealed record ShellNames(
    string Scheme,
    string Word,
    RegionUse Region,
    params ImmutableArray<KeyVariables> Keys
)
{
    /// <summary>The scheme means another vendor unless this one is named.</summary>
    public bool MustBeNamed { get; init; }

    public ImmutableArray<string> RegionVariables { get; init; } = [];
}
