using ObjectStoreSimulator;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// What vendors do to the same document from place to place. Tried on S3's; the code is the same for all.
/// </summary>
public sealed class GetQuirkTests() : SimulatorTest(Vendor.S3, "eu-west-1")
{
    private const string Key = "1234abcd-12ab-34cd-56ef-1234567890ab";

    private static readonly StoreTestRequest Right = new("b-one.s3.eu-west-1.amazonaws.com", "eu-west-1");

    [Fact]
    public async Task Elements_of_a_later_release_are_added_once()
    {
        await Store.PutAsync(StoreTestClient.Configuration("AES256"), Right);
        await Admin.SetSettingsAsync(new SimulatorSettings { UnknownElements = true });
        string first = (await Store.GetAsync(Right)).Body;

        // A client that keeps what it does not know sends it back.
        await Store.PutAsync(first, Right);

        Assert.Equal(first, (await Store.GetAsync(Right)).Body);
        Assert.Contains("BlockedEncryptionTypes", first, StringComparison.Ordinal);
        Assert.Contains("BucketKeyRotationPeriod", first, StringComparison.Ordinal);
        Assert.Contains("<Future since=\"2031\">", first, StringComparison.Ordinal);
        Assert.Contains("<Future", await Admin.GetEncryptionAsync(Bucket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_can_come_back_in_its_long_form()
    {
        await Store.PutAsync(
            StoreTestClient.Configuration("aws:kms", $"<KMSMasterKeyID>{Key}</KMSMasterKeyID>"),
            Right
        );
        await Admin.SetSettingsAsync(new SimulatorSettings { LongKeyIds = true });

        Assert.Equal(
            $"arn:aws:kms:eu-west-1:123456789012:key/{Key}",
            (await Store.GetAsync(Right)).Element("KMSMasterKeyID")
        );
        Assert.DoesNotContain("arn:", await Admin.GetEncryptionAsync(Bucket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_bucket_key_can_be_told_where_it_was_not_set()
    {
        await Store.PutAsync(StoreTestClient.Configuration("aws:kms"), Right);
        string? before = (await Store.GetAsync(Right)).Element("BucketKeyEnabled");
        await Admin.SetSettingsAsync(new SimulatorSettings { EchoBucketKey = true });

        Assert.Equal((null, "false"), (before, (await Store.GetAsync(Right)).Element("BucketKeyEnabled")));
    }

    [Fact]
    public async Task The_order_can_be_reversed()
    {
        await Store.PutAsync(
            StoreTestClient.Configuration(
                "aws:kms",
                $"<KMSMasterKeyID>{Key}</KMSMasterKeyID>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
            ),
            Right
        );
        await Admin.SetSettingsAsync(new SimulatorSettings { ReverseOrder = true });

        Assert.Equal(
            "ServerSideEncryptionConfiguration Rule BucketKeyEnabled ApplyServerSideEncryptionByDefault "
                + "KMSMasterKeyID SSEAlgorithm",
            string.Join(
                ' ',
                (await Store.GetAsync(Right)).Xml.DescendantsAndSelf().Select(element => element.Name.LocalName)
            )
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://obs.example/doc/2015-06-30/")]
    public async Task The_namespace_can_be_another_or_none(string space)
    {
        await Store.PutAsync(StoreTestClient.Configuration("AES256"), Right);
        await Admin.SetSettingsAsync(new SimulatorSettings { Namespace = space });

        Assert.All(
            (await Store.GetAsync(Right)).Xml.DescendantsAndSelf(),
            element => Assert.Equal(space, element.Name.NamespaceName)
        );
    }

    [Fact]
    public async Task White_space_can_stand_around_every_value()
    {
        await Admin.SetSettingsAsync(new SimulatorSettings { WhiteSpace = true });

        Assert.Matches("^\\s+AES256\\s+$", (await Store.GetAsync(Right)).Element("SSEAlgorithm"));
    }
}
