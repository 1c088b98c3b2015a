using System.Collections.Immutable;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>What a request is about at its address, as the query of its URL says it.</summary>
/// <param name="Query">Names and values, not encoded; a null value is a bare name.</param>
internal sealed record Resource(params ImmutableArray<KeyValuePair<string, string?>> Query)
{
    /// <summary>Path below the address, without a slash before it and not encoded; empty for none.</summary>
    public string Path { get; init; } = "";

    private const string EncryptionName = "encryption";
    private const string TaggingName = "tagging";
    private const string LocationName = "location";

    public static Resource Encryption { get; } = Setting(EncryptionName);

    public static Resource Tagging { get; } = Setting(TaggingName);

    public static Resource Location { get; } = Setting(LocationName);

    /// <summary>
    /// The query parameters that a signature counts to the resource, where it does not cover the whole query.
    /// </summary>
    public static ImmutableArray<string> Settings { get; } = [EncryptionName, TaggingName, LocationName];

    private static Resource Setting(string name) => new(new KeyValuePair<string, string?>(name, null));
}
