using ObjectStoreSimulator;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>Source: ListBuckets and GetBucketLocation in AWS's API reference.</summary>
public sealed class AwsAccountTests() : SimulatorTest(Vendor.S3, "eu-central-1")
{
    private static readonly StoreTestRequest List = new("s3.eu-central-1.amazonaws.com", "eu-central-1");

    [Theory]
    [InlineData("/", false, false)]
    [InlineData("/?max-buckets=1000", true, false)]
    [InlineData("/?max-buckets=1", true, true)]
    [InlineData("/?bucket-region=eu-central-1", true, false)]
    public async Task Regions_and_pages_come_when_they_are_asked_for(string target, bool regions, bool token)
    {
        await Admin.SetBucketAsync("b-two", new SimulatedBucket { Region = "us-east-1" });

        StoreTestAnswer answer = await Store.GetAsync(List with { Target = target });

        Assert.Equal(
            (regions, token),
            (answer.Element("BucketRegion") is not null, answer.Element("ContinuationToken") is not null)
        );
    }

    [Theory]
    [InlineData("/?max-buckets=0")]
    [InlineData("/?max-buckets=10001")]
    [InlineData("/?max-buckets=1&continuation-token=%2A")]
    public async Task A_page_that_cannot_be_is_refused(string target) =>
        (await Store.GetAsync(List with { Target = target })).AssertIs(400, "InvalidArgument");

    [Fact]
    public async Task The_first_region_has_no_name()
    {
        await Admin.SetBucketAsync("b-two", new SimulatedBucket { Region = "us-east-1" });
        StoreTestRequest ask = new("b-two.s3.us-east-1.amazonaws.com", "us-east-1") { Target = "/?location" };

        StoreTestAnswer answer = await Store.GetAsync(ask);

        Assert.Equal("", answer.Element("LocationConstraint"));
    }
}
