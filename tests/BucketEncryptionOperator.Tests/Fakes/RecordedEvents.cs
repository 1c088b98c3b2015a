using System.Collections.Concurrent;
using KubeRuntime.Events;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>Keeps what was told.</summary>
internal sealed class RecordedEvents : IEventRecorder
{
    public ConcurrentQueue<Occurrence> All { get; } = new();

    public IEnumerable<string> Reasons => All.Select(o => o.Reason);

    public IEnumerable<string> Notes => All.Select(o => o.Note);

    public void Record(Occurrence occurrence) => All.Enqueue(occurrence);
}
