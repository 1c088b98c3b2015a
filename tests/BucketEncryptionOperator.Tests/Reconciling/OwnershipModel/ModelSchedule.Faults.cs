using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <content>What fails at the vendors and at the API server.</content>
internal sealed partial class ModelSchedule
{
    private VendorFault? VendorFault(VendorCall call)
    {
        if (_isCalm || _random.Next(100) >= _vendorFaults)
            return null;
        return _random.Next(8) switch
        {
            0 => new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, call.Operation)),
            1 => new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "HTTP_403", 403, call.Operation)),
            2 => new VendorFault(InMemoryVendor.Fail(FailureKind.Refused, "HTTP_302", 302, call.Operation)),
            3 => new VendorFault(InMemoryVendor.Fail(FailureKind.Missing, "HTTP_404", 404, call.Operation)),
            4 => new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500, call.Operation)),
            5 => new VendorFault(NoAnswer(call)),
            6 => new VendorFault(NoAnswer(call), AfterEffect: true),
            _ => new VendorFault(
                InMemoryVendor.Fail(FailureKind.Refused, "KMS.DisabledException", 400, call.Operation)
            ),
        };
    }

    private static Failure NoAnswer(VendorCall call) =>
        new(FailureKind.Transient, call.Operation + "BucketEncryption", "RequestTimeout")
        {
            Message = "no answer in time",
        };

    /// <summary>
    /// Secrets of which the API server has said last that the operator may not get them. Nobody waits for their
    /// policies.
    /// </summary>
    private readonly HashSet<NamespacedName> _forbidden = [];

    /// <summary>Whose Secret is read.</summary>
    private List<NamespacedName> SecretsOf(string line) =>
        !line.StartsWith("GET ", StringComparison.Ordinal)
            ? []
            :
            [
                .. _stores
                    .Values.Concat(_gone)
                    .Select(s => s.Secret)
                    .Where(s => line.EndsWith(KubernetesFake.SecretPath(s), StringComparison.Ordinal)),
            ];

    private Reply? KubernetesFault(int number, string line)
    {
        if (_isCalm || ModelRun.Current is not { } run || _random.Next(100) >= _kubernetesFaults)
            return null;
        Tell($"        API fault: {line}");
        run.HadKubernetesFault = true;
        switch (_random.Next(4))
        {
            case 0:
                return KubernetesFake.Status(409, "Conflict");
            case 1:
                return KubernetesFake.Status(500, "InternalError");
            case 2:
                _forbidden.UnionWith(SecretsOf(line));
                return KubernetesFake.Status(403, "Forbidden");
            default:
                return new Reply.Reset();
        }
    }

    private Reply? LostAnswer(string line)
    {
        if (
            _isCalm
            || line.StartsWith("GET ", StringComparison.Ordinal)
            || ModelRun.Current is not { } run
            || _random.Next(200) >= _kubernetesFaults
        )
            return null;
        Tell($"        API answer lost: {line}");
        run.HadKubernetesFault = true;
        return new Reply.Reset();
    }
}
