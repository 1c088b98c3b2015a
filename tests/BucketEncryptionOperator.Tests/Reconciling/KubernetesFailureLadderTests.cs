using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>As <see cref="VendorFailureLadderTests"/>, with the fault at a request to Kubernetes.</summary>
public sealed class KubernetesFailureLadderTests
{
    private static readonly Dictionary<string, Reply> KubernetesFaults = new(StringComparer.Ordinal)
    {
        ["409"] = KubernetesFake.Status(409, "Conflict"),
        ["500"] = KubernetesFake.Status(500, "InternalError"),
        ["429"] = KubernetesFake.Status(429, "TooManyRequests"),
        ["403"] = KubernetesFake.Status(403, "Forbidden"),
        ["reset"] = new Reply.Reset(),
        ["half a body"] = new Reply.Bytes("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"kind\":"),
        ["no JSON"] = ScriptedServer.Answer(200, "<html></html>"),
    };

    public static TheoryData<string> AtKubernetes => new(KubernetesFaults.Keys);

    [Theory]
    [MemberData(nameof(AtKubernetes))]
    public async Task A_fault_at_any_request_to_Kubernetes_ends_well(string fault)
    {
        for (var rung = 1; rung <= Ladder.MostRungs; rung++)
        {
            var touched = false;
            await using var bench = Ladder.Scenario(laggingReads: 0);
            bench.Kubernetes.Faults = (n, _) =>
            {
                touched |= n == rung;
                return n == rung ? KubernetesFaults[fault] : null;
            };

            await bench.SettleAsync();
            await bench.SettleAsync();
            bench.Kubernetes.Faults = (_, _) => null;
            await bench.SettleAsync();

            Ladder.AssertEndedWell(bench, $"{fault} at request {rung}");
            if (!touched)
                return;
        }
        Assert.Fail("The ladder has no end.");
    }
}
