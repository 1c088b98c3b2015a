using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>suspend</c>, <c>resume</c> and <c>reconcile</c>: the field and the annotation that a person would set by hand, on
/// policies by name, by label, or on all: docs/commands.md.
/// </summary>
internal static class PolicyChangeCommands
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private static readonly Option<bool> Wait = new("--wait")
    {
        Description = "Wait until the operator has reconciled the policies, and show what came of each.",
    };
    private static readonly Option<int> Timeout = new("--timeout")
    {
        Description = "Seconds to wait.",
        DefaultValueFactory = _ => 300,
    };

    public static Command BuildSuspend(Func<string, string?> environment, TimeProvider time) =>
        Build(
            "suspend",
            "Suspend policies (spec.suspend): nothing is read or written, and they keep the buckets that they own.",
            environment,
            time,
            (_, cluster, policies, console, token) => SuspendAsync(cluster, policies, suspend: true, console, token)
        );

    public static Command BuildResume(Func<string, string?> environment, TimeProvider time) =>
        Build(
            "resume",
            "Resume suspended policies.",
            environment,
            time,
            (_, cluster, policies, console, token) => SuspendAsync(cluster, policies, suspend: false, console, token)
        );

    public static Command BuildReconcile(Func<string, string?> environment, TimeProvider time)
    {
        var command = Build(
            "reconcile",
            $"Request a reconcile of policies now (annotation {RequestAnnotations.RequestedAt}).",
            environment,
            time,
            (parsed, cluster, policies, console, token) =>
                ReconcileAsync(parsed, cluster, policies, new Request(console, time), token)
        );
        command.Options.Add(Wait);
        command.Options.Add(Timeout);
        return command;
    }

    private delegate Task<int> Work(
        ParseResult parsed,
        ClusterConnection cluster,
        IReadOnlyList<BucketEncryptionPolicy> policies,
        CommandConsole console,
        CancellationToken cancellationToken
    );

    private sealed record Request(CommandConsole Console, TimeProvider Time)
    {
        /// <summary>Time to wait.</summary>
        public TimeSpan Limit { get; init; }

        public Action<int, int> Show { get; init; } = (_, _) => { };
    }

    private static Command Build(
        string name,
        string help,
        Func<string, string?> environment,
        TimeProvider time,
        Work work
    )
    {
        var command = new Command(name, help);
        ClusterTarget.AddTo(command, mustSay: true);
        CommandConsole.SetAction(
            command,
            environment,
            async (parsed, console, cancellationToken) =>
            {
                using var cluster = ClusterTarget.Connect(parsed, environment, time);
                var policies = await ClusterTarget.ListAsync(parsed, cluster, cancellationToken);
                return await work(parsed, cluster, policies, console, cancellationToken);
            }
        );
        return command;
    }

    private static async Task<int> SuspendAsync(
        ClusterConnection cluster,
        IReadOnlyList<BucketEncryptionPolicy> policies,
        bool suspend,
        CommandConsole console,
        CancellationToken cancellationToken
    )
    {
        var patch = Patch(json =>
        {
            json.WriteStartObject("spec");
            json.WriteBoolean("suspend", suspend);
            json.WriteEndObject();
        });
        var exitCode = 0;
        foreach (var policy in policies)
        {
            if ((policy.Spec.Suspend == true) == suspend)
                await console.WriteLineAsync($"{policy.Metadata.Key} unchanged");
            else if (await TryChangeAsync(cluster, policy, patch, console, cancellationToken))
                await console.WriteLineAsync($"{policy.Metadata.Key} {(suspend ? "suspended" : "resumed")}");
            else
                exitCode = 1;
        }
        return exitCode;
    }

    /// <summary>
    /// Changes a policy. Where the API server refuses the change of this one, that is said, and the others go on.
    /// </summary>
    private static async Task<bool> TryChangeAsync(
        ClusterConnection cluster,
        BucketEncryptionPolicy policy,
        ReadOnlyMemory<byte> patch,
        CommandConsole console,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await cluster.Client.PatchAsync(ApiResources.Policies, policy.Metadata.Key, patch, cancellationToken);
            return true;
        }
        catch (KubeApiException e)
            when (e.Failure
                    is KubeFailureKind.Conflict
                        or KubeFailureKind.NotFound
                        or KubeFailureKind.Denied
                        or KubeFailureKind.Invalid
            )
        {
            await console.WarnAsync($"{policy.Metadata.Key}: {e.Message}");
            return false;
        }
    }

    private static async Task<int> ReconcileAsync(
        ParseResult parsed,
        ClusterConnection cluster,
        IReadOnlyList<BucketEncryptionPolicy> policies,
        Request request,
        CancellationToken cancellationToken
    )
    {
        var value = request.Time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        var patch = Patch(json =>
        {
            json.WriteStartObject("metadata");
            json.WriteStartObject("annotations");
            json.WriteString(Schedule.RequestedAt, value);
            json.WriteEndObject();
            json.WriteEndObject();
        });
        var waiting = new List<(NamespacedName Key, string?[] Before)>();
        var exitCode = 0;
        foreach (var policy in policies)
        {
            if (!await TryChangeAsync(cluster, policy, patch, request.Console, cancellationToken))
            {
                exitCode = 1;
                continue;
            }
            await request.Console.WriteLineAsync($"{policy.Metadata.Key} requested");
            if (policy.Spec.Suspend == true)
                await request.Console.WarnAsync($"{policy.Metadata.Key} is suspended: nothing comes of it");
            else
                waiting.Add(
                    (policy.Metadata.Key, [policy.Status?.LastHandledReconcileAt, Schedule.RequestedAtOf(policy)])
                );
        }
        if (!parsed.GetValue(Wait))
            return exitCode;
        var waited = await request.Console.WithProgressAsync(
            "Reconciling",
            (show, console) =>
                WaitAsync(
                    cluster,
                    waiting,
                    value,
                    request with
                    {
                        Limit = TimeSpan.FromSeconds(parsed.GetValue(Timeout)),
                        Console = console,
                        Show = show,
                    },
                    cancellationToken
                )
        );
        return Math.Max(exitCode, waited);
    }

    /// <returns>1 where a policy is not Ready, or was not reconciled in time.</returns>
    private static async Task<int> WaitAsync(
        ClusterConnection cluster,
        List<(NamespacedName Key, string?[] Before)> waiting,
        string value,
        Request request,
        CancellationToken cancellationToken
    )
    {
        var started = request.Time.GetTimestamp();
        var exitCode = 0;
        var all = waiting.Count;
        while (waiting.Count > 0)
        {
            request.Show(all - waiting.Count, all);
            foreach (var awaited in waiting.ToArray())
            {
                var key = awaited.Key;
                BucketEncryptionPolicy policy;
                try
                {
                    policy = await cluster.Client.GetAsync(ApiResources.Policies, key, cancellationToken);
                }
                catch (KubeApiException e) when (e.Failure == KubeFailureKind.NotFound)
                {
                    waiting.Remove(awaited);
                    await request.Console.WarnAsync($"{key}: it was deleted");
                    exitCode = 1;
                    continue;
                }
                if (!IsHandled(policy, value, awaited.Before))
                    continue;
                waiting.Remove(awaited);
                var ready = policy.Status?.Conditions.Find(ConditionTypes.Ready);
                await request.Console.WriteLineAsync(
                    $"{key} reconciled: Ready {ready?.Status} {ready?.Reason}, "
                        + $"{policy.Status?.Summary?.Text} as declared"
                );
                exitCode = ready?.Status == Condition.True ? exitCode : 1;
            }
            if (waiting.Count == 0)
                break;
            if (request.Time.GetElapsedTime(started) > request.Limit)
                throw new UsageException(
                    $"not reconciled within {request.Limit.TotalSeconds:0} s: "
                        + $"{string.Join(", ", waiting.Select(w => w.Key))}; does the operator run?"
                );
            await Task.Delay(Poll, request.Time, cancellationToken);
        }
        return exitCode;
    }

    /// <summary>
    /// Whether the operator has handled this request, or one that has replaced it since: somebody else's, made later.
    /// </summary>
    /// <param name="before">What had been handled, and requested, before this request was made.</param>
    internal static bool IsHandled(BucketEncryptionPolicy policy, string value, string?[] before)
    {
        var handled = policy.Status?.LastHandledReconcileAt;
        return handled == value
            || handled is not null
                && Schedule.RequestedAtOf(policy) != value
                && !before.Contains(handled, StringComparer.Ordinal);
    }

    /// <summary>A merge patch without a version: it names no list, so no other writer's change is lost.</summary>
    private static ReadOnlyMemory<byte> Patch(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
