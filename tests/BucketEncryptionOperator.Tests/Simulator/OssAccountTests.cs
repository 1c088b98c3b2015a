namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>Source: OSS's help page of ListBuckets.</summary>
public sealed class OssAccountTests : SimulatorTest
{
    [Theory]
    [InlineData("/?max-keys=1", "b-one", "true")]
    [InlineData("/?max-keys=1&marker=b-one", "b-two", null)]
    [InlineData("/?prefix=b-t", "b-two", null)]
    [InlineData("/?tag-key=team", "b-two", null)]
    [InlineData("/?tag-key=team&tag-value=x", "", null)]
    public async Task The_head_is_there_only_when_something_is_cut_off(string target, string names, string? isTruncated)
    {
        await Admin.SetBucketAsync("b-two");
        await Admin.SetTagsAsync("b-two", ("team", "finance"));

        StoreTestAnswer answer = await Oss.GetAsync(
            new OssTestRequest { Host = "oss-cn-hangzhou.aliyuncs.com", Target = target }
        );

        Assert.Equal((names, isTruncated), (answer.Names, answer.Element("IsTruncated")));
    }

    [Theory]
    [InlineData("/?max-keys=1001")]
    [InlineData("/?tag-value=finance")]
    public async Task A_list_that_cannot_be_is_refused(string target) =>
        (await Oss.GetAsync(new OssTestRequest { Host = "oss-cn-hangzhou.aliyuncs.com", Target = target })).AssertIs(
            400,
            "InvalidArgument"
        );

    [Fact]
    public async Task Tags_stay_when_a_bucket_gets_other_settings()
    {
        await Admin.SetTagsAsync(Bucket, ("team", "finance"));
        await Admin.SetBucketAsync(Bucket);

        StoreTestAnswer answer = await Oss.GetAsync(new OssTestRequest { Target = "/?tagging" });

        Assert.Equal(("team", "finance"), (answer.Element("Key"), answer.Element("Value")));
    }
}
