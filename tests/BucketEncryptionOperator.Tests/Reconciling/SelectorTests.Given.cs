using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed partial class SelectorTests
{
    private static readonly DateTimeOffset Epoch = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private int _asked;

    private static BucketEncryptionPolicy Selector(
        ImmutableArray<string> names,
        ImmutableArray<string>? excluded = null,
        int? maxWrites = null
    )
    {
        var policy = Given.Policy();
        return policy with
        {
            Metadata = policy.Metadata with { CreationTimestamp = Epoch },
            Spec = policy.Spec with
            {
                Buckets = [],
                BucketSelector = new BucketSelectorSpec
                {
                    MatchNames = names,
                    ExcludeNames = excluded ?? [],
                    MaxWrites = maxWrites,
                },
                Mode = "Enforce",
            },
        };
    }

    private static ImmutableDictionary<string, string> Tags(params (string Key, string Value)[] tags) =>
        tags.ToImmutableDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal);

    private void Buckets(params string[] names)
    {
        foreach (var name in names)
            _bench.Vendor[name] = None;
    }

    private BucketEncryption? Has(string bucket) => _bench.Vendor[bucket];

    private List<string> Rows() => [.. _bench.Status.Buckets.Select(b => b.Name)];

    private int Writes() => _bench.Vendor.Count("Put") + _bench.Vendor.Count("Delete");

    private Condition Condition(string type) =>
        _bench.Status.Conditions.Find(type) ?? throw new InvalidOperationException($"no {type}");

    private (string Status, string Reason) Ready() => (Condition("Ready").Status, Condition("Ready").Reason);

    private (string Status, string Reason) Compliant() =>
        (Condition("Compliant").Status, Condition("Compliant").Reason);

    private bool PolicyFinalizerIsOn() => PolicyFinalizer.IsOn(_bench.Kubernetes.Read(Given.PolicyKey));

    private void Spec(Func<PolicySpec, PolicySpec> change)
    {
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put((now with { Spec = change(now.Spec) }).NextGeneration());
    }

    private void Change(Func<BucketSelectorSpec, BucketSelectorSpec> change) =>
        Spec(s => s with { BucketSelector = change(s.BucketSelector!) });

    private void Ask() => Annotate(RequestAnnotations.RequestedAt, $"request {++_asked}");

    private void Confirm(string generation) => Annotate(RequestAnnotations.ConfirmedWrites, generation);

    private void Annotate(string name, string value)
    {
        var now = _bench.Kubernetes.Read(Given.PolicyKey);
        _bench.Put(
            now with
            {
                Metadata = now.Metadata with
                {
                    Annotations =
                    [
                        .. now.Metadata.Annotations.Where(a => a.Key != name),
                        KeyValuePair.Create(name, value),
                    ],
                },
            }
        );
    }
}
