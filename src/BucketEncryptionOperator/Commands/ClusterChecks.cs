using System.Globalization;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Planning;
using BucketEncryptionOperator.Specs;
using k8s;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.LeaderElection;

namespace BucketEncryptionOperator.Commands;

/// <summary>Checks a cluster for <c>doctor</c>: API server, CRDs, rights, Lease. It changes nothing.</summary>
internal static class ClusterChecks
{
    private const string Cluster = "cluster";

    /// <summary>Minor version of Kubernetes 1: the CRDs' selectableFields are on from here.</summary>
    private const int LeastMinor = 31;

    /// <summary>A holder renews every few seconds.</summary>
    private static readonly TimeSpan FreshLease = TimeSpan.FromMinutes(1);

    /// <param name="lease">Of the operator.</param>
    public static async Task<IReadOnlyList<Check>> RunAsync(
        KubeClient client,
        NamespacedName lease,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var server = await ServerAsync(client, cancellationToken);
        return server.Result == CheckResult.Failed
            ? [server]
            :
            [
                server,
                await CrdsAsync(client, cancellationToken),
                await RightsAsync(client, cancellationToken),
                await LeaseAsync(client, lease, time, cancellationToken),
            ];
    }

    private static async Task<Check> ServerAsync(KubeClient client, CancellationToken cancellationToken)
    {
        const string Name = "API server";
        try
        {
            using var version = JsonDocument.Parse(await client.ReadAsync("/version", cancellationToken));
            var text = version.RootElement.GetProperty("gitVersion").GetString() ?? "";
            var minor = version.RootElement.GetProperty("minor").GetString()?.TrimEnd('+');
            return
                int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number < LeastMinor
                ? new Check(Cluster, Name, CheckResult.Warning, text)
                {
                    Hint = $"Kubernetes 1.{LeastMinor} is the least.",
                }
                : new Check(Cluster, Name, CheckResult.Ok, text);
        }
        catch (KubeApiException e)
        {
            return new Check(Cluster, Name, CheckResult.Failed, e.Message);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new Check(Cluster, Name, CheckResult.Failed, "the answer to /version is not an API server's");
        }
    }

    private static async Task<Check> CrdsAsync(KubeClient client, CancellationToken cancellationToken)
    {
        const string Name = "CRDs";
        const string Apply = "Apply the CRDs of this version of the operator.";
        try
        {
            using var document = JsonDocument.Parse(await client.ReadAsync(ServedSchema.Path, cancellationToken));
            var missing = ServedSchema.Missing(
                document.RootElement,
                [ApiResources.Policy, ApiResources.BucketStore, ApiResources.ClusterBucketStore]
            );
            return missing.Count == 0
                ? new Check(Cluster, Name, CheckResult.Ok, "they have every field that this version reads and writes")
                : new Check(Cluster, Name, CheckResult.Failed, $"they do not know {string.Join(", ", missing.Take(5))}")
                {
                    Hint = Apply,
                };
        }
        catch (KubeApiException e)
        {
            return new Check(Cluster, Name, CheckResult.Failed, e.Message)
            {
                Hint = e.Failure == KubeFailureKind.NotFound ? Apply : "",
            };
        }
        catch (JsonException)
        {
            return new Check(Cluster, Name, CheckResult.Failed, "the schema that the API server serves cannot be read");
        }
    }

    /// <summary>
    /// Asks for each right of the operator's whether the caller has it: meant to be run as the operator.
    /// </summary>
    private static async Task<Check> RightsAsync(KubeClient client, CancellationToken cancellationToken)
    {
        const string Name = "rights";
        try
        {
            var missing = new List<OperatorRight>();
            foreach (var right in OperatorRights.All)
            {
                if (!await HasAsync(client, right, cancellationToken))
                    missing.Add(right);
            }
            return missing.Count == 0
                ? new Check(Cluster, Name, CheckResult.Ok, $"this account has all {OperatorRights.All.Length}")
                : new Check(
                    Cluster,
                    Name,
                    CheckResult.Warning,
                    $"this account may not, in all namespaces: {string.Join(", ", missing)}"
                )
                {
                    Hint = "An operator needs them where it works; deploy/rbac.yaml grants them to its own account.",
                };
        }
        catch (KubeApiException e)
        {
            return new Check(Cluster, Name, CheckResult.Failed, e.Message);
        }
    }

    private static async Task<bool> HasAsync(
        KubeClient client,
        OperatorRight right,
        CancellationToken cancellationToken
    )
    {
        var parts = right.Resource.Split('/');
        var review = new V1SelfSubjectAccessReview
        {
            ApiVersion = "authorization.k8s.io/v1",
            Kind = V1SelfSubjectAccessReview.KubeKind,
            Spec = new V1SelfSubjectAccessReviewSpec
            {
                ResourceAttributes = new V1ResourceAttributes
                {
                    Group = right.Group,
                    Resource = parts[0],
                    Subresource = parts.Length > 1 ? parts[1] : null,
                    Verb = right.Verb,
                },
            },
        };
        var status = await client.CallAsync(
            "POST selfsubjectaccessreviews",
            async k =>
                (
                    await k.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(
                        review,
                        cancellationToken: cancellationToken
                    )
                ).Status,
            cancellationToken
        );
        return status.Allowed;
    }

    private static async Task<Check> LeaseAsync(
        KubeClient client,
        NamespacedName lease,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        const string Name = "Lease";
        try
        {
            var record = (await client.GetAsync(Lease.Resource, lease, cancellationToken)).Spec;
            if (string.IsNullOrEmpty(record.HolderIdentity))
                return new Check(Cluster, Name, CheckResult.Warning, $"nobody holds {lease}")
                {
                    Hint = "Does the operator run?",
                };
            var age = time.GetUtcNow() - record.RenewTime;
            return age <= FreshLease
                ? new Check(Cluster, Name, CheckResult.Ok, $"{record.HolderIdentity} leads")
                : new Check(
                    Cluster,
                    Name,
                    CheckResult.Warning,
                    $"{record.HolderIdentity} has not renewed {lease} for {age?.TotalSeconds:0} s"
                )
                {
                    Hint = "Does the operator run?",
                };
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.NotFound)
        {
            return new Check(Cluster, Name, CheckResult.Warning, $"there is no {lease}")
            {
                Hint = "An operator that runs with --leader-elect has one: see --lease-namespace and --lease-name.",
            };
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.Denied)
        {
            return new Check(Cluster, Name, CheckResult.NotChecked, "this account may not read it");
        }
        catch (KubeApiException e)
        {
            return new Check(Cluster, Name, CheckResult.Failed, e.Message);
        }
    }
}
