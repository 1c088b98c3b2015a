using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Fakes;

internal static class VendorApis
{
    /// <summary>The client of a dialect that stands in no catalogue.</summary>
    public static BucketEncryptionApi Connect(this VendorServices services, IVendorDialect dialect) =>
        new(VendorPipeline.For(dialect, endpoint => endpoint.Authority, meter: null, services), dialect.Document);

    /// <inheritdoc cref="Connect"/>
    public static AccountApi ConnectAccount(this VendorServices services, IVendorDialect dialect) =>
        new(VendorPipeline.For(dialect, endpoint => endpoint.Authority, meter: null, services), dialect.Account);
}
