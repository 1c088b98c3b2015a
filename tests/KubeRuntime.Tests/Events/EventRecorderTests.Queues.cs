using KubeRuntime.Events;
using TestKit;

namespace KubeRuntime.Tests.Events;

/// <summary>Several queues, as in a controller; the other tests have one, so that order is known.</summary>
public sealed partial class EventRecorderTests
{
    [Fact]
    public async Task Several_queues_hold_no_more_than_one_and_take_new_events_once_there_is_room()
    {
        var recorder = NewRecorder(EventRecorder.QueueCount);
        for (var i = 0; i < 2 * EventRecorder.MaxWaiting; i++)
            recorder.Record(Widget(name: $"w{i}"));
        Assert.Equal(EventRecorder.MaxWaiting, _metrics.Sum("event_recorder_dropped_total", "queue_full"));

        _running = recorder.RunAsync(_stop.Token);
        await Waiting.UntilAsync(() => _api.Stored.Count == EventRecorder.MaxWaiting);
        for (var i = 0; i < 100; i++)
            recorder.Record(Widget(name: $"later{i}"));

        await Waiting.UntilAsync(() => _api.Stored.Count == EventRecorder.MaxWaiting + 100);
    }

    [Fact]
    public async Task A_slow_answer_holds_up_its_subject_and_not_most_others()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _api.Gate = call => call == 1 ? gate.Task : Task.CompletedTask;
        var recorder = NewRecorder(EventRecorder.QueueCount);
        _running = recorder.RunAsync(_stop.Token);
        recorder.Record(Widget(name: "slow"));
        await Waiting.UntilAsync(() => _api.Calls == 1);

        recorder.Record(Widget("the next", name: "slow"));
        for (var i = 0; i < 100; i++)
            recorder.Record(Widget(name: $"w{i}"));

        // Some three quarters are in other queues: that fewer than 50 are is next to impossible.
        await Waiting.UntilAsync(() => _api.Stored.Count >= 50);
        Assert.DoesNotContain(_api.Stored.Values, e => e.Regarding?.Name == "slow");
        gate.SetResult();
        await Waiting.UntilAsync(() => _api.Stored.Count == 102);
    }

    [Fact]
    public async Task Events_of_a_subject_are_sent_in_order_however_long_answers_take()
    {
        var random = RandomSeed.NewRandom(_output.WriteLine);
        _api.Gate = _ => YieldsAsync(SharedNext(50));
        var recorder = NewRecorder(EventRecorder.QueueCount);
        _running = recorder.RunAsync(_stop.Token);

        var names = Enumerable.Range(0, 10 * SubjectLimits.Burst).Select(i => $"w{i % 10}").ToArray();
        random.Shuffle(names);
        var recorded = names.Select((name, i) => (Name: name, Note: $"{i}")).ToList();
        foreach (var (name, note) in recorded)
            recorder.Record(Widget(note, name));
        await Waiting.UntilAsync(() => _api.Created.Count == recorded.Count);

        foreach (var name in names.Distinct(StringComparer.Ordinal))
            Assert.Equal(
                string.Join(' ', recorded.Where(e => e.Name == name).Select(e => e.Note)),
                string.Join(' ', _api.Created.Where(e => e.Regarding?.Name == name).Select(e => e.Note))
            );

        int SharedNext(int below)
        {
            lock (random)
                return random.Next(below);
        }

        static async Task YieldsAsync(int times)
        {
            for (; times > 0; times--)
                await Task.Yield();
        }
    }
}
