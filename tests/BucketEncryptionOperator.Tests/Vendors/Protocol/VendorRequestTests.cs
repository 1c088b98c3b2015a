using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed class VendorRequestTests(ITestOutputHelper output)
{
    private const string Letters = "abcxyz0189-.AX";

    /// <summary>Let names of up to seven labels through, so that only the reader stands before the request.</summary>
    private static readonly string[] Patterns =
    [
        "*",
        "*.*",
        "*.*.*",
        "*.*.*.*",
        "*.*.*.*.*",
        "*.*.*.*.*.*",
        "*.*.*.*.*.*.*",
    ];

    private static readonly string[] Suffixes =
    [
        "",
        "",
        ".example",
        ".aliyuncs.com",
        ".oss.aliyuncs.com",
        ".oss-cloudbox.aliyuncs.com",
        ".cn-x.oss-cloudbox-control.aliyuncs.com",
        ".obs.cn-x.myhuaweicloud.com",
        ".s3.cn-x.jdcloud-oss.com",
        ".amazonaws.com",
        ".s3.us-gov-west-1.amazonaws.com",
        ".c2s.ic.gov",
    ];

    private static readonly StoreReader Reader = new(
        new EndpointAllowList(Patterns, VendorCatalog.Endpoints),
        Partitions.None,
        new KeySourceReader(AmbientRules.None)
    );

    /// <summary>Endpoints within the CRD's pattern, many of them with labels that are only nearly names.</summary>
    [Fact]
    public void A_store_that_can_be_read_makes_a_request_for_every_bucket()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var (read, refused) = (0, 0);
        for (var i = 0; i < RandomSeed.Cases(200_000); i++)
        {
            var host = Host(random);
            var vendor = VendorCatalog.All[random.Next(VendorCatalog.All.Count)].Name;
            var spec = Given.Store(vendor, "cn-x").At("https://" + host).Spec;
            var (store, failure) = Reader.Read(
                "store",
                spec,
                new StoreScope(Given.Namespace, IsNamespaced: true, "oss")
            );
            if (store is null)
            {
                Assert.True(failure?.Code is "InvalidSpec" or "EndpointNotAllowed", $"{host}");
                refused++;
                continue;
            }
            foreach (var bucket in (string[])["abc", new string('b', 63)])
            {
                var target = Record.Exception(() =>
                    VendorRequest.Target(store.Place.Address(bucket), Resource.Encryption)
                );
                Assert.True(target is null, $"{host}: {target}");
            }
            read++;
        }

        Assert.True(read > 100 && refused > 100, $"{read} read, {refused} refused");
    }

    private static string Host(Random random)
    {
        var text = string.Concat(
            Enumerable.Range(0, random.Next(1, 30)).Select(_ => Letters[random.Next(Letters.Length)])
        );
        var host =
            (random.Next(3) == 0 ? "xn--" : "")
            + text
            + (random.Next(3) == 0 ? ".xn--" + text[..Math.Min(5, text.Length)] : "");
        return (random.Next(4) == 0 ? $"a.-{host}z" : $"a{host}z") + Suffixes[random.Next(Suffixes.Length)];
    }
}
