using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

public sealed partial class AccountApiTests
{
    public static TheoryData<string, int, string> NoTags =>
        new()
        {
            { "alibaba", 200, "<Tagging><TagSet></TagSet></Tagging>" },
            { "alibaba", 200, "<Tagging/>" },
            { "huawei", 404, "<Error><Code>NoSuchTagSet</Code></Error>" },
            { "jdcloud", 200, "<Tagging><TagSet/></Tagging>" },
            { "jdcloud", 404, "<Error><Code>NoSuchTagSet</Code></Error>" },
            { "s3", 404, "<Error><Code>NoSuchTagSet</Code></Error>" },
            { "s3", 404, "<Error><Code>NoSuchTagSetError</Code></Error>" },
        };

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task Tags_are_read_as_they_are(string vendor)
    {
        Answers(200, Tags("<Tag><Key>team</Key><Value>a b </Value></Tag><Tag><Value/><Key>Team</Key></Tag>"));

        var tags = await TagsAsync(vendor);

        Assert.Equal([("Team", ""), ("team", "a b ")], tags.Select(t => (t.Key, t.Value)).OrderBy(t => t.Value));
        Assert.Contains("?tagging HTTP", Assert.Single(_server.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(NoTags))]
    public async Task No_tags_is_a_value(string vendor, int status, string body)
    {
        Answers(status, body);

        Assert.Empty(await TagsAsync(vendor));
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task An_answer_that_is_not_a_whole_set_of_tags_fails(string vendor)
    {
        const string Tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
        (string Sentence, int Status, string Body, string Code)[] bad =
        [
            ("nothing", 200, "", "UnreadableAnswer"),
            ("a page of a gateway", 200, "<html/>", "UnreadableAnswer"),
            ("tags cut off", 200, Tags(Tag)[..^12], "UnreadableAnswer"),
            ("another document", 200, "<ListBucketResult/>", "UnreadableAnswer"),
            ("a key twice", 200, Tags(Tag + Tag), "UnreadableAnswer"),
            ("a tag without a key", 200, Tags("<Tag><Value>v</Value></Tag>"), "UnreadableAnswer"),
            ("a tag without a value", 200, Tags("<Tag><Key>v</Key></Tag>"), "UnreadableAnswer"),
            ("something else in the set", 200, Tags("<More/>"), "UnreadableAnswer"),
            ("two sets", 200, "<Tagging><TagSet/><TagSet/></Tagging>", "UnreadableAnswer"),
            ("the code for no tags under a good status", 200, ErrorOf("NoSuchTagSet"), "NoSuchTagSet"),
            ("the code for no tags under a failure", 500, ErrorOf("NoSuchTagSet"), "NoSuchTagSet"),
            ("a page under the status for no tags", 404, "<html/>", "HTTP_404"),
            ("no bucket", 404, ErrorOf("NoSuchBucket"), "NoSuchBucket"),
        ];

        foreach (var (sentence, status, body, code) in bad)
        {
            Answers(status, body);
            var failure = await FailureOfAsync(() => TagsAsync(vendor));

            Assert.True(failure.Code == code && failure.Operation == "GetBucketTagging", $"{sentence}: {failure}");
        }
    }

    [Theory]
    [InlineData("alibaba", "<LocationConstraint>oss-cn-north-1</LocationConstraint>", BucketPlace.Here)]
    [InlineData("alibaba", "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>", BucketPlace.Elsewhere)]
    [InlineData("huawei", "<Location xmlns=\"urn:x\">cn-north-1</Location>", BucketPlace.Here)]
    [InlineData("huawei", "<Location>cn-north-4</Location>", BucketPlace.Elsewhere)]
    [InlineData("jdcloud", "<LocationConstraint>cn-north-1</LocationConstraint>", BucketPlace.Here)]
    [InlineData("jdcloud", "<LocationConstraint> huabei </LocationConstraint>", BucketPlace.Here)]
    [InlineData("jdcloud", "<LocationConstraint>suqian</LocationConstraint>", BucketPlace.Elsewhere)]
    [InlineData("s3", "<LocationConstraint>cn-north-1</LocationConstraint>", BucketPlace.Here)]
    [InlineData("s3", "<LocationConstraint/>", BucketPlace.Elsewhere)]
    internal async Task A_bucket_says_where_it_is(string vendor, string body, BucketPlace place)
    {
        Answers(200, body);

        Assert.Equal(place, await LocateAsync(vendor));
        Assert.Contains("?location HTTP", Assert.Single(_server.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("us-east-1", "<LocationConstraint/>", BucketPlace.Here)]
    [InlineData("eu-west-1", "<LocationConstraint>EU</LocationConstraint>", BucketPlace.Here)]
    [InlineData("eu-west-1", "<LocationConstraint/>", BucketPlace.Elsewhere)]
    internal async Task The_oldest_regions_of_AWS_have_other_names(string region, string body, BucketPlace place)
    {
        Answers(200, body);
        var store = Store("s3") with { Region = region, Endpoint = new Uri($"http://s3.{region}.amazonaws.com") };

        Assert.Equal(place, await LocateAsync("s3", store));
    }

    [Fact]
    public async Task A_bucket_of_a_site_that_is_not_AWS_is_there_whatever_the_site_calls_itself()
    {
        Answers(200, "<LocationConstraint>default</LocationConstraint>");
        var store = Store("s3") with { Endpoint = new Uri("http://ceph.storage.svc") };

        Assert.Equal(BucketPlace.Here, await LocateAsync("s3", store));
    }

    /// <summary>It is not followed: the server has no second reply that is one.</summary>
    [Theory]
    [InlineData("s3", 301, "PermanentRedirect", true)]
    [InlineData("s3", 307, "TemporaryRedirect", true)]
    [InlineData("jdcloud", 301, "PermanentRedirect", true)]
    [InlineData("s3", 301, null, false)]
    [InlineData("s3", 403, "AccessDenied", false)]
    public async Task The_vendors_redirect_means_elsewhere_and_a_gateways_does_not(
        string vendor,
        int status,
        string? code,
        bool isElsewhere
    )
    {
        _replies.Enqueue(
            ScriptedServer.Answer(
                status,
                code is null ? "<html/>" : ErrorOf(code),
                "Location: http://elsewhere.example/"
            )
        );

        var place = await Record.ExceptionAsync(async () =>
            Assert.Equal(BucketPlace.Elsewhere, await LocateAsync(vendor))
        );

        Assert.True(place is null == isElsewhere && place is null or VendorException, $"{place}");
        Assert.Single(_server.Requests);
    }

    [Theory]
    [InlineData("alibaba", "<LocationConstraint/>")]
    [InlineData("huawei", "<Location/>")]
    [InlineData("huawei", "<CreateBucketConfiguration><Location>x</Location></CreateBucketConfiguration>")]
    [InlineData("jdcloud", "<LocationConstraint/>")]
    [InlineData("s3", "<LocationConstraint><Region>x</Region></LocationConstraint>")]
    [InlineData("s3", "")]
    public async Task An_answer_that_says_no_place_fails(string vendor, string body)
    {
        Answers(200, body);

        var failure = await FailureOfAsync(() => LocateAsync(vendor));

        Assert.Equal(("UnreadableAnswer", "GetBucketLocation"), (failure.Code, failure.Operation));
    }

    [Theory]
    [InlineData("alibaba", "oss:ListBuckets", "oss:GetBucketLocation", "oss:GetBucketTagging")]
    [InlineData("huawei", "obs:bucket:ListAllMyBuckets", "obs:bucket:GetBucketLocation", "obs:bucket:GetBucketTagging")]
    [InlineData("jdcloud", "listing", "region", "tags")]
    [InlineData("s3", "s3:ListAllMyBuckets", "s3:GetBucketLocation", "s3:GetBucketTagging")]
    public async Task A_denial_names_the_right_that_is_missing(string vendor, string list, string locate, string tags)
    {
        for (var calls = 0; calls < 3; calls++)
            Answers(403, Denied);

        Failure[] failures =
        [
            await FailureOfAsync(() => ListAsync(vendor)),
            await FailureOfAsync(() => LocateAsync(vendor)),
            await FailureOfAsync(() => TagsAsync(vendor)),
        ];

        Assert.All(failures, f => Assert.Equal((FailureKind.Denied, "AccessDenied"), (f.Kind, f.Code)));
        foreach (var (failure, right) in failures.Zip([list, locate, tags]))
            Assert.Contains(right, failure.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_store_that_has_no_lists_is_not_said_to_have_no_encryption(string vendor)
    {
        Answers(501, ErrorOf("NotImplemented"));

        var failure = await FailureOfAsync(() => ListAsync(vendor));

        Assert.Equal((FailureKind.Refused, "The store does not offer this request."), (failure.Kind, failure.Hint));
    }

    private static string ErrorOf(string code) => $"<Error><Code>{code}</Code><RequestId>r</RequestId></Error>";
}
