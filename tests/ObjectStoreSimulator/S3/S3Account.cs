using System.Collections.Immutable;
using System.Text;
using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.S3;

/// <summary>
/// S3's location and tags, and the lists of AWS and MinIO. Source: AWS's API reference of the three calls; MinIO's
/// bucket handlers, read.
/// </summary>
internal static class S3Account
{
    private const int LargestPage = 10_000;
    private const string FirstRegion = "us-east-1";

    private static readonly XNamespace Space = S3Dialect.S3Namespace;

    /// <summary>
    /// AWS: <c>max-buckets</c>, <c>continuation-token</c>, <c>prefix</c>, <c>bucket-region</c>. A list without any of
    /// them has one page, and no regions.
    /// </summary>
    public static (XElement? Document, StoreError? Refusal) ListOfAws(StoreCall call, Account account, World world)
    {
        StoreAddress address = call.Address;
        bool inPages =
            address.Asks("max-buckets")
            || address.Asks("continuation-token")
            || address.Asks("prefix")
            || address.Asks("bucket-region");
        int? size = AccountAnswers.SizeOf(address.Value("max-buckets"), LargestPage, LargestPage);
        (bool isToken, string? after) = AfterOf(address.Value("continuation-token"));
        if (size is null || !isToken)
        {
            return (null, S3Errors.InvalidArgument("The value is not valid.", "max-buckets or continuation-token"));
        }

        IEnumerable<KeyValuePair<string, BucketSettings>> buckets = AccountAnswers
            .BucketsOf(world, account)
            .Where(bucket =>
                bucket.Key.StartsWith(address.Value("prefix") ?? "", StringComparison.Ordinal)
                && (address.Value("bucket-region") is not { } region || region == bucket.Value.Region)
            );
        BucketPage page = inPages
            ? AccountAnswers.Page(buckets, after, size.Value, world.Settings.Values)
            : new BucketPage([.. buckets], Last: null);
        XElement result = Result(
            account,
            page.Buckets.Select(bucket =>
                Entry(bucket.Key, inPages ? new XElement(Space + "BucketRegion", bucket.Value.Region) : null)
            )
        );
        if (page.Last is { } last)
        {
            result.Add(new XElement(Space + "ContinuationToken", Convert.ToBase64String(Encoding.UTF8.GetBytes(last))));
        }

        return (result, null);
    }

    /// <summary>
    /// MinIO: the query is ignored, and everything comes at once. A key without the right to list is not refused: its
    /// list is silently reduced to the buckets whose location it may read; only an empty rest is a refusal.
    /// </summary>
    public static (XElement? Document, StoreError? Refusal) ListOfMinio(StoreCall call, Account account, World world)
    {
        ImmutableArray<string> names = [.. AccountAnswers.BucketsOf(world, account).Select(bucket => bucket.Key)];
        if (world.DenyRules.Find(call) is { } rule)
        {
            names =
            [
                .. names.Where(name =>
                    !world.DenyRules.All.Any(r => r.Matches(name, Operations.Location, call.AccessKeyId))
                ),
            ];
            if (names.IsEmpty)
            {
                return (null, rule.AsError(SigV4.SigV4Errors.Denied, S3Errors.DeniedByKms));
            }
        }

        return (Result(account, names.Select(name => Entry(name, region: null))), null);
    }

    /// <summary>The first region has no name.</summary>
    public static XElement Location(BucketSettings bucket) =>
        new(Space + "LocationConstraint", bucket.Region == FirstRegion ? null : bucket.Region);

    public static XElement? Tags(BucketSettings bucket) =>
        bucket.Tags is { Count: > 0 } tags ? AccountAnswers.Tagging(Space, tags) : null;

    private static (bool IsToken, string? After) AfterOf(string? token)
    {
        Span<byte> bytes = new byte[token?.Length ?? 0];
        return token is null ? (true, null)
            : Convert.TryFromBase64String(token, bytes, out int length)
                ? (true, Encoding.UTF8.GetString(bytes[..length]))
            : (false, null);
    }

    private static XElement Result(Account account, IEnumerable<XElement> entries) =>
        new(
            Space + "ListAllMyBucketsResult",
            new XElement(Space + "Buckets", entries),
            new XElement(Space + "Owner", new XElement(Space + "ID", account.Owner))
        );

    private static XElement Entry(string name, XElement? region) =>
        new(
            Space + "Bucket",
            new XElement(Space + "CreationDate", AccountAnswers.CreationDate),
            region,
            new XElement(Space + "Name", name)
        );
}
