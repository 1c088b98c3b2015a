using System.Text.Json;
using System.Text.Json.Nodes;
using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.Admin;

namespace Integration.Tests.Scenarios;

/// <summary>One scenario from its first step to its last.</summary>
/// <param name="start">Starts an operator of the scenario's own.</param>
internal sealed class Play(Stage stage, Func<Stage, Task<OperatorProcess>> start)
{
    /// <summary>Of an operator's log, for a failure's message.</summary>
    private const int LinesOfLog = 30;

    private readonly Audience _audience = new(stage);
    private OperatorProcess? _operator;
    private DateTimeOffset _lastCreated;

    /// <exception cref="Exception">The first step that did not do what the file says.</exception>
    public async Task RunAsync()
    {
        if (stage.Scenario.HasOwnOperator)
            _operator = await start(stage);
        var at = 0;
        try
        {
            for (; at < stage.Scenario.Steps.Count; at++)
                await RunAsync(stage.Scenario.Steps[at]);
            _audience.NothingMore();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException(
                $"{stage.Scenario.File}, steps[{at}] {stage.Scenario.Steps.ElementAtOrDefault(at)?.Say}: "
                    + $"{e.Message}\n{(_operator is null ? "" : LogOf(stage, [_operator]))}",
                e
            );
        }
        finally
        {
            foreach (var world in stage.Worlds)
                world.HoldPoints.ReleaseAll();
            if (_operator is not null)
                await _operator.DisposeAsync();
        }
    }

    /// <summary>The last that operators have to say of the scenario.</summary>
    public static string LogOf(Stage stage, IEnumerable<OperatorProcess> operators) =>
        string.Join(
            '\n',
            operators
                .SelectMany(o => o.Log.Split('\n'))
                .Where(l => l.Contains(stage.Namespace, StringComparison.Ordinal))
                .TakeLast(LinesOfLog)
        );

    private async Task RunAsync(Step step)
    {
        if (step.Apply is { } apply)
            await ApplyAsync(step, apply);
        if (step.Patch is { } patch)
            Check(step, await PatchAsync(patch));
        if (step.Delete is { } delete)
            Check(step, await stage.Api.DeleteAsync(stage.PathOf(delete)));
        if (step.Vendor is { } vendor)
            await ChangeAsync(vendor);
        if (step.Operator is { } word)
            await OperateAsync(word);
        if (step.Resyncs is { } resyncs)
            await WaitAsync("resyncs", Operations.Get, resyncs);
        if (step.Lists is { } lists)
            await ListAsync(lists);
        if (step.Describes is { } describes)
            await WaitAsync("descriptions of KMS keys", Operations.DescribeKey, describes);
        if (step.Expect is { } expected)
            await _audience.SeeAsync(expected);
    }

    /// <summary>
    /// Which of two policies is the older goes by seconds, and only then by what nobody can foresee: each gets a second
    /// of its own.
    /// </summary>
    private async Task ApplyAsync(Step step, Target apply)
    {
        if (apply.Policy is not null)
            await Eventually.TrueAsync(
                "a later second",
                () => TimeProvider.System.GetUtcNow() >= _lastCreated + TimeSpan.FromSeconds(1)
            );
        var answer = await stage.Api.ApplyAsync(stage.PathOf(apply), stage.Full(apply));
        Check(step, answer);
        if (
            apply.Policy is not null
            && answer.Body["metadata"]?["creationTimestamp"] is { } created
            && created.GetValue<DateTimeOffset>() is var at
            && at > _lastCreated
        )
            _lastCreated = at;
    }

    private Task<(System.Net.HttpStatusCode Status, JsonNode Body)> PatchAsync(Target patch)
    {
        var change = new JsonObject();
        if (patch.Spec is { } spec)
            change["spec"] = spec.DeepClone();
        if (patch.Status is { } status)
            change["status"] = status.DeepClone();
        if (patch.Data is { } data)
            change["stringData"] = data.DeepClone();
        if (patch.Labels is not null || patch.Annotations is not null)
            change["metadata"] = new JsonObject
            {
                ["labels"] = patch.Labels?.DeepClone() ?? new JsonObject(),
                ["annotations"] = patch.Annotations?.DeepClone() ?? new JsonObject(),
            };
        return stage.Api.PatchAsync(stage.PathOf(patch) + (patch.Status is null ? "" : "/status"), change);
    }

    private static void Check(Step step, (System.Net.HttpStatusCode Status, JsonNode Body) answer)
    {
        var message = (string?)answer.Body["message"] ?? "";
        if (step.Refused is null)
            KubeApi.Done(answer.Status, answer.Body, "the API server");
        else if ((int)answer.Status < 400 || !message.Contains(step.Refused, StringComparison.Ordinal))
            throw new InvalidOperationException(
                $"it should be refused with \"{step.Refused}\", and the API server says {(int)answer.Status} {message}"
            );
    }

    private async Task ChangeAsync(VendorStep step)
    {
        var world = stage.At(step.At);
        if (step.Mended)
        {
            world.DenyRules.Clear();
            world.Faults.Clear();
            world.HoldPoints.ReleaseAll();
            world.Settings.Clear();
        }
        stage.SetBuckets(step.At, step.Buckets ?? []);
        foreach (var bucket in step.Remove ?? [])
            world.Buckets.Remove(bucket);
        stage.SetSettings(step.At, step.BucketSettings ?? []);
        stage.SetKmsKeys(step.At, step.KmsKeys ?? []);
        foreach (var kmsKey in step.RemoveKmsKeys ?? [])
            world.KmsKeys.Remove(kmsKey);
        if (step.Account is { } account)
            world.Accounts.Set(stage.KeyId, account.Deserialize(AdminJson.Default.Account)!);
        if (step.Identity is { } identity)
            stage.SetIdentity(step.At, identity);
        if (step.Settings is { } values)
            world.Settings.Set(values.Deserialize(AdminJson.Default.SettingValues)!);
        if (step.Deny is { } deny)
            world.DenyRules.Add(deny.Deserialize(AdminJson.Default.DenyRule)!);
        if (step.Fault is { } fault)
            world.Faults.Add(fault.Deserialize(AdminJson.Default.FaultRule)!);
        if (step.Hold is { } hold)
            world.HoldPoints.Add(hold.Deserialize(AdminJson.Default.HoldRule)!);
        if (step.Held)
            await Eventually.TrueAsync("a request is held", () => world.HoldPoints.Held.Length > 0);
    }

    private async Task OperateAsync(string word)
    {
        if (word == "start")
        {
            _operator = await start(stage);
            return;
        }
        var running = _operator ?? throw new InvalidOperationException("no operator runs");
        if (word == "kill")
            await running.KillAsync();
        else
            await running.TerminateAsync();
        await running.DisposeAsync();
        _operator = null;
    }

    /// <summary>Until the vendor has been asked for each bucket or KMS key so many times more.</summary>
    private async Task WaitAsync(string what, string operation, Dictionary<string, int> wanted)
    {
        var before = wanted.ToDictionary(w => w.Key, w => Asked(w.Key), StringComparer.Ordinal);
        await Eventually.TrueAsync(
            what,
            () => wanted.All(w => Asked(w.Key) >= before[w.Key] + w.Value),
            () => string.Join(", ", wanted.Keys.Select(name => $"{name}: {Asked(name) - before[name]}"))
        );

        long Asked(string name) => stage.Asked($"{operation} {name}");
    }

    private async Task ListAsync(int wanted)
    {
        var before = stage.Asked(Operations.List);
        await Eventually.TrueAsync(
            "lists",
            () => stage.Asked(Operations.List) >= before + wanted,
            () => $"{stage.Asked(Operations.List) - before}"
        );
    }
}
