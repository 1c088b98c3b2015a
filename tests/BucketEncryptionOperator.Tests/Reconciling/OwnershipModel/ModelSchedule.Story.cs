using System.Globalization;
using System.Runtime.CompilerServices;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

internal sealed partial class ModelSchedule
{
    private string Summary(NamespacedName key) =>
        _bench.Kubernetes.Find(key) is { } policy
            ? string.Join(
                "; ",
                (policy.Status?.Buckets ?? []).Select(r =>
                    $"{r.Name} {r.Partition} {r.State} {r.Error?.Code} {ModelClaims.InRow(r)} "
                    + $"{(r.HeldTime is null ? "" : "held")} original "
                    + $"{r.Original?.Encryption?.Algorithm}{r.Original?.Encryption?.KmsKeyId} denied {r.Denied?.Count}"
                )
            )
            : "gone";

    private static string Buckets(PolicySpec spec) =>
        spec.BucketSelector is { } selector
            ? $"{string.Join(",", selector.MatchNames)} but {string.Join(",", selector.ExcludeNames)}, tags "
                + $"{string.Join(",", selector.MatchTags?.Values ?? [])}, most {selector.MaxWrites}"
            : string.Join(",", spec.Buckets.Select(b => b.Name));

    private string Where => $"SCHEDULE={Seed} plays it alone";

    private void Tell([InterpolatedStringHandlerArgument("")] Telling what)
    {
        if (_tracesStory)
            _story.Append(CultureInfo.InvariantCulture, $"{_bench.Time.GetUtcNow():HH:mm:ss.fff} {what.Text}\n");
    }

    /// <summary>Costs nothing where nobody reads the story.</summary>
    [InterpolatedStringHandler]
    private ref struct Telling
    {
        private DefaultInterpolatedStringHandler _text;

        public Telling(int literals, int holes, ModelSchedule schedule, out bool isRead)
        {
            isRead = schedule._tracesStory;
            _text = isRead
                ? new DefaultInterpolatedStringHandler(literals, holes, CultureInfo.InvariantCulture)
                : default;
        }

        public string Text => _text.ToStringAndClear();

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value, string? format = null) => _text.AppendFormatted(value, format);
    }
}
