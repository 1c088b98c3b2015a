namespace KubeRuntime.Instrumentation;

/// <summary>The metrics of one queue.</summary>
/// <param name="name">Name of the queue, usually that of its controller.</param>
public sealed class WorkQueueMetrics(RuntimeMetrics metrics, string name)
{
    private readonly KeyValuePair<string, object?>[] _tags = RuntimeMetrics.QueueTags(name);

    internal void Watch(Func<int> depth, Func<(TimeSpan Sum, TimeSpan Longest)> running) =>
        metrics.WatchQueue(name, depth, running);

    internal void Added() => metrics.QueueAdds.Add(1, _tags);

    internal void Retried() => metrics.QueueRetries.Add(1, _tags);

    internal void Taken(TimeSpan waited) => metrics.QueueWait.Record(waited.TotalSeconds, _tags);

    internal void Done(TimeSpan worked) => metrics.QueueWork.Record(worked.TotalSeconds, _tags);
}
