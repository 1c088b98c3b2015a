using System.Globalization;
using System.Text.Json.Nodes;

namespace Integration.Tests.Scenarios;

// What a file of tests/scenarios may say; its README explains each word. What is not here is an error.

internal sealed class Scenario
{
    public string File { get; set; } = "";

    public string Title { get; set; } = "";

    /// <summary>Why it takes long: such scenarios are started first.</summary>
    public string? Slow { get; set; }

    /// <summary>Of an operator of the scenario's own; null: it shares one with the others.</summary>
    public List<string>? Flags { get; set; }

    public Given Given { get; set; } = new();

    public List<Step> Steps { get; set; } = [];

    /// <summary>Names its namespace; unique over all folders.</summary>
    public string Name => Path.GetFileNameWithoutExtension(File);

    public bool HasOwnOperator => Flags is not null || Steps.Any(s => s.Operator is not null);
}

internal sealed class Given
{
    /// <summary>Besides the scenario's own.</summary>
    public List<string> Namespaces { get; set; } = [];

    public Dictionary<string, GivenStore> Stores { get; set; } = [];

    /// <summary>By name; each with what it has, in the words of <see cref="BucketWords"/>.</summary>
    public Dictionary<string, string> Buckets { get; set; } = [];

    /// <summary>Settings of single buckets, as in <see cref="VendorStep.BucketSettings"/>.</summary>
    public Dictionary<string, JsonNode> BucketSettings { get; set; } = [];

    /// <summary>
    /// KMS keys at the first store's vendor: a state, or a document of the simulator. Null: the stores have no key
    /// service that the operator may ask.
    /// </summary>
    public Dictionary<string, JsonNode>? KmsKeys { get; set; }

    public GivenMany? Many { get; set; }
}

/// <summary>Buckets that would be too many to list.</summary>
internal sealed class GivenMany
{
    /// <summary>The names are this and a number of four digits, from 0001 on.</summary>
    public string Prefix { get; set; } = "";

    public int Count { get; set; }

    /// <summary>What each has, in the words of <see cref="BucketWords"/>.</summary>
    public string Encryption { get; set; } = BucketWords.None;

    public Dictionary<string, string> ToBuckets() =>
        Enumerable
            .Range(1, Count)
            .ToDictionary(
                i => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{i:0000}"),
                _ => Encryption,
                StringComparer.Ordinal
            );
}

internal sealed class GivenStore
{
    /// <summary>Of the simulator: MinIO is an S3 that is not AWS.</summary>
    public string Vendor { get; set; } = "AlibabaOSS";

    /// <summary>Null: the scenario's own namespace.</summary>
    public string? In { get; set; }

    /// <summary>A ClusterBucketStore.</summary>
    public bool Cluster { get; set; }

    /// <summary>Another access key of the account; null: the one that all stores share.</summary>
    public string? Key { get; set; }

    /// <summary>Goes over what the runner makes.</summary>
    public JsonNode? Spec { get; set; }
}

/// <summary>One thing that happens, at most, and what is then to be seen.</summary>
internal sealed class Step
{
    /// <summary>For readers.</summary>
    public string? Say { get; set; }

    public Target? Apply { get; set; }

    public Target? Patch { get; set; }

    public Target? Delete { get; set; }

    /// <summary>What the API server says when it refuses <see cref="Apply"/> or <see cref="Patch"/>.</summary>
    public string? Refused { get; set; }

    public VendorStep? Vendor { get; set; }

    /// <summary>kill, stop or start.</summary>
    public string? Operator { get; set; }

    /// <summary>Waits until the vendor has been asked so many times more for what the bucket has.</summary>
    public Dictionary<string, int>? Resyncs { get; set; }

    /// <summary>Waits until the account's buckets have been listed so many times more.</summary>
    public int? Lists { get; set; }

    /// <summary>Waits until the key service has been asked so many times more for the KMS key.</summary>
    public Dictionary<string, int>? Describes { get; set; }

    public Expectation? Expect { get; set; }
}

/// <summary>An object; exactly one of the kinds has its name.</summary>
internal sealed class Target
{
    public string? Policy { get; set; }

    public string? Store { get; set; }

    public string? ClusterStore { get; set; }

    public string? Secret { get; set; }

    public string? ServiceAccount { get; set; }

    public string? Namespace { get; set; }

    public string? In { get; set; }

    public JsonNode? Spec { get; set; }

    public JsonNode? Status { get; set; }

    /// <summary>Of a Secret, as text.</summary>
    public JsonNode? Data { get; set; }

    public JsonNode? Labels { get; set; }

    public JsonNode? Annotations { get; set; }
}

/// <summary>What happens at the vendor, behind the operator's back.</summary>
internal sealed class VendorStep
{
    /// <summary>Null: the vendor of the first store.</summary>
    public string? At { get; set; }

    /// <summary>Creates buckets, or changes what they have.</summary>
    public Dictionary<string, string>? Buckets { get; set; }

    public List<string>? Remove { get; set; }

    /// <summary>Of the key that all stores of the scenario use.</summary>
    public JsonNode? Account { get; set; }

    // Documents of the simulator's admin API.
    public JsonNode? Identity { get; set; }

    public JsonNode? Settings { get; set; }

    /// <summary>Settings of single buckets; without a region they are in the scenario's.</summary>
    public Dictionary<string, JsonNode>? BucketSettings { get; set; }

    /// <summary>Sets KMS keys: a state, or a document of the simulator.</summary>
    public Dictionary<string, JsonNode>? KmsKeys { get; set; }

    /// <summary>KMS keys that exist no longer.</summary>
    public List<string>? RemoveKmsKeys { get; set; }

    public JsonNode? Deny { get; set; }

    public JsonNode? Fault { get; set; }

    public JsonNode? Hold { get; set; }

    /// <summary>Waits until a request is held.</summary>
    public bool Held { get; set; }

    /// <summary>No denials, faults, holds and settings any more.</summary>
    public bool Mended { get; set; }
}

/// <summary>Waited for until all of it is so.</summary>
internal sealed class Expectation
{
    /// <summary>By name, or namespace/name.</summary>
    public Dictionary<string, PolicyExpectation> Policies { get; set; } = [];

    /// <summary>Policies that are not there any more.</summary>
    public List<string> Gone { get; set; } = [];

    public Dictionary<string, string> Buckets { get; set; } = [];

    /// <summary>Every PUT and DELETE since the last expectation, and nothing else.</summary>
    public List<string> Writes { get; set; } = [];

    /// <summary>The body of the last PUT of a bucket, to the letter.</summary>
    public Dictionary<string, string> Sent { get; set; } = [];

    /// <summary>
    /// How often the vendors were asked since the last expectation, by operation, or operation and bucket: a number, or
    /// the least and the most, as in 1-3.
    /// </summary>
    public Dictionary<string, string> Asked { get; set; } = [];
}

internal sealed class PolicyExpectation
{
    /// <summary>Status and reason.</summary>
    public string? Ready { get; set; }

    public string? Compliant { get; set; }

    /// <summary>Reason; "no" when it must not be there.</summary>
    public string? Reconciling { get; set; }

    public string? Stalled { get; set; }

    /// <summary>Status and reason; "no" when it must not be there.</summary>
    public string? KeyUsable { get; set; }

    /// <summary>Of Ready.</summary>
    public string? Message { get; set; }

    /// <summary>Of KeyUsable.</summary>
    public string? KeyMessage { get; set; }

    /// <summary>State and, if any, the code of the error; or parts of the row.</summary>
    public Dictionary<string, JsonNode> Rows { get; set; } = [];

    /// <summary>The names of all rows, in their order.</summary>
    public List<string>? Only { get; set; }

    /// <summary>Texts that neither the object nor its events have anywhere.</summary>
    public List<string> Lacks { get; set; } = [];

    public Dictionary<string, string> Columns { get; set; } = [];

    /// <summary>All events of the policy so far, and how often.</summary>
    public Dictionary<string, int>? Events { get; set; }

    /// <summary>Parts of the status.</summary>
    public JsonNode? Status { get; set; }

    /// <summary>Nobody has written the object since the last expectation of it.</summary>
    public bool Unchanged { get; set; }

    /// <summary>Whether it may go only after its buckets have been released.</summary>
    public bool? Finalizer { get; set; }
}
