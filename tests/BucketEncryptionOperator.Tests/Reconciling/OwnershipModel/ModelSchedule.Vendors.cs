using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

internal sealed partial class ModelSchedule
{
    private InMemoryVendor InstallationOf(Uri endpoint) => _installations[NameOf(endpoint)];

    private InMemoryAccount AccountOf(Uri endpoint) => _accounts[NameOf(endpoint)];

    private static string NameOf(Uri endpoint) =>
        Places.FirstOrDefault(p => p.Endpoint is not null && new Uri(p.Endpoint) == endpoint)?.Installation ?? "oss";

    private static string Bucket(int number) => $"bucket-{number}";

    private ModelStore? StoreOf(BucketEncryptionPolicy policy) =>
        _stores.GetValueOrDefault(
            (
                policy.Spec.StoreRef.Kind == "ClusterBucketStore" ? "" : policy.Metadata.Namespace,
                policy.Spec.StoreRef.Name
            )
        );

    /// <summary>The time of a workbench that is made later than whoever asks for it.</summary>
    private sealed class Clock(Func<TimeProvider> time) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => time().GetUtcNow();
    }

    private InMemoryVendor Installation(string name)
    {
        var lags = Chance(4);
        var vendor = new InMemoryVendor { LaggingReads = lags ? _random.Next(1, 3) : 0 };
        vendor.Denials = (call, key) =>
            key.Id != null && _revoked.Contains(key.Id)
                ? InMemoryVendor.Fail(FailureKind.Denied, "InvalidAccessKeyId", 403, call.Operation) with
                {
                    ConcernsCredentials = true,
                }
            : _denied.Contains((key.Id!, name, call.Bucket, call.Operation != "Get"))
                ? InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, call.Operation)
            : null;
        vendor.Faults = (_, call) => VendorFault(call);
        vendor.Received = receipt =>
        {
            Tell(
                $"        {receipt.Call.Operation} {receipt.Call.Bucket} at {name}: {receipt.Before} -> "
                    + $"{receipt.After}{(receipt.Shown is null ? "" : $" shown {receipt.Shown}")} "
                    + $"{receipt.Failure?.Code}"
            );
            _oracle.Received(receipt, lags);
        };
        return vendor;
    }
}
