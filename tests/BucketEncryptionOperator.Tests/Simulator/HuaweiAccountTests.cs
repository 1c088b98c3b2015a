using ObjectStoreSimulator;
using ObjectStoreSimulator.Huawei;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>Source: the API page of the list, and the vendor's Go SDK.</summary>
public sealed class HuaweiAccountTests() : SimulatorTest(Vendor.HuaweiOBS, "cn-north-4")
{
    private static readonly StoreTestRequest Native = new("obs.cn-north-4.myhuaweicloud.com", "cn-north-4")
    {
        Target = "/",
        Words = ObsWords.Native,
    };

    [Fact]
    public async Task In_AWSs_words_the_location_comes_when_it_is_asked_for()
    {
        StoreTestRequest aws = Native with { Words = ObsWords.Aws };

        StoreTestAnswer native = await Store.GetAsync(Native);
        StoreTestAnswer silent = await Store.GetAsync(aws);
        StoreTestAnswer asked = await Store.GetAsync(aws.With("x-amz-location", "true"));

        Assert.Equal(
            ["cn-north-4", null, "cn-north-4"],
            new[] { native, silent, asked }.Select(answer => answer.Element("Location"))
        );
    }

    [Theory]
    [InlineData(null, "b-one b-two")]
    [InlineData("OBJECT", "b-one")]
    [InlineData("POSIX", "b-two")]
    public async Task A_kind_of_bucket_can_be_asked_for(string? kind, string names)
    {
        await Admin.SetBucketAsync("b-two", new SimulatedBucket { Region = "cn-north-4", FileSystem = "unsupported" });

        StoreTestAnswer answer = await Store.GetAsync(kind is null ? Native : Native.With("x-obs-bucket-type", kind));

        Assert.Equal(names, answer.Names);
    }
}
