using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>The scenario of the failure ladders, and what must hold after each rung.</summary>
internal static class Ladder
{
    public const int MostRungs = 100;

    /// <summary>One bucket to encrypt, one to change, one that is right.</summary>
    public static Workbench Scenario(int laggingReads)
    {
        var bench = new Workbench();
        bench.Vendor["bucket-a"] = new BucketEncryption.None();
        bench.Vendor["bucket-b"] = new BucketEncryption.Kms("k-2", DataCipher.Sm4);
        bench.Vendor["bucket-c"] = new BucketEncryption.Kms("k-1", DataCipher.Aes256);
        bench.Vendor.LaggingReads = laggingReads;
        return bench.Start(
            Given
                .Policy("bucket-a", "bucket-b", "bucket-c")
                .With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { Id = "k-1" },
                    }
                )
        );
    }

    public static void AssertEndedWell(Workbench bench, string where)
    {
        Assert.True(new BucketEncryption.Kms("k-1", DataCipher.Aes256).Equals(bench.Vendor["bucket-a"]), where);
        Assert.True(new BucketEncryption.Kms("k-1", DataCipher.Sm4).Equals(bench.Vendor["bucket-b"]), where);
        Assert.True(
            bench.Status.Conditions.Find("Ready") is { Status: Condition.True },
            $"{where}: {bench.Status.Conditions.Find("Ready")}"
        );
        Assert.True(
            bench
                .Vendor.Calls.Where(c => c.Operation == "Put")
                .CountBy(c => c.Bucket)
                .All(p => p.Value <= 2 && p.Key != "bucket-c"),
            where
        );
        Assert.True(
            bench.Vendor.Count("Put") <= 3,
            $"{where}: {bench.Vendor.Count("Put")} writes for two buckets and one fault"
        );
        Assert.Equal(0, bench.Vendor.Count("Delete"));
    }
}
