using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Vendors;

public sealed class VendorRequestTests(ITestOutputHelper output)
{
    private const string Letters = "abcxyz0189-.AX";

    /// <summary>Lists that let every name of up to four labels through, so that only the reader stands before the request.</summary>
    private static readonly StoreReader Reader = new(
        new EndpointAllowList(["*", "*.*", "*.*.*", "*.*.*.*"]), Partitions.None, new KeySourceReader(ambientInNamespacedStores: false));

    /// <summary>Endpoints within the CRD's pattern, many of them with labels that are only nearly names.</summary>
    [Fact]
    public void A_store_that_can_be_read_makes_a_request_for_every_bucket()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var (read, refused) = (0, 0);
        for (var i = 0; i < RandomSeed.Cases(200_000); i++)
        {
            var host = Host(random);
            var (store, failure) = Reader.Read("store", Given.Store().At("https://" + host).Spec, new StoreScope(Given.Namespace, IsNamespaced: true));
            if (store is null)
            {
                Assert.True(failure?.Code is "InvalidSpec" or "EndpointNotAllowed", $"{host}");
                refused++;
                continue;
            }
            foreach (var bucket in (string[])["abc", new string('b', 63)])
            {
                var target = Record.Exception(() => VendorRequest.Target(store.Place.Address(bucket)));
                Assert.True(target is null, $"{host}: {target}");
            }
            read++;
        }

        Assert.True(read > 100 && refused > 100, $"{read} read, {refused} refused");
    }

    private static string Host(Random random)
    {
        var text = string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => Letters[random.Next(Letters.Length)]));
        var host = (random.Next(3) == 0 ? "xn--" : "") + text + (random.Next(3) == 0 ? ".xn--" + text[..Math.Min(5, text.Length)] : "") + (random.Next(2) == 0 ? ".example" : "");
        return random.Next(4) == 0 ? $"a.-{host}z" : $"a{host}z";
    }
}
