using KubeRuntime.Client;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.LeaderElection;

/// <summary>
/// Leads with a Lease, once: standby → leading → (released | lost), and no way back.
/// <list type="bullet">
/// <item>
/// A standby watches the lease. It claims the lease when it is free, or when it did not change for its duration by the
/// standby's own monotonic clock. Every write is bound to the version that was judged (record, version and expiry are
/// one <see cref="LeaseSnapshot"/>), so only one of several claims succeeds.
/// </item>
/// <item>
/// A leader renews. Its right to write ends <see cref="LeaderElectorOptions.RenewDeadline"/> after it <i>sent</i> the
/// last renewal that succeeded, even if nothing in the process runs at that moment: <see cref="MayWrite"/> asks the
/// clock, and is not a flag.
/// </item>
/// <item>
/// A leader whose deadline has passed, or that finds another's name in the lease, has lost for good. The process must
/// end: only that proves that no work of the old term goes on.
/// </item>
/// <item>
/// On a stop the work drains while the lease is renewed. Then the right to write ends, and the lease is released.
/// </item>
/// </list>
/// </summary>
public sealed class LeaderElector(
    ILease lease,
    LeaderElectorOptions options,
    Random random,
    TimeProvider time,
    ILogger logger
) : IElection
{
    /// <summary>A timer takes at most 49 days, and a lease may name more.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly LeaseView _view = new(options.Identity, options.LeaseDuration, time);
    private Renewal? _last;

    /// <summary>Whether a claim was sent that may have succeeded.</summary>
    private bool _mayHold;

    /// <summary>
    /// What the last refused claim found in the lease, by a read of its own: the watch may lag.
    /// </summary>
    private LeaseRecord? _found;
    private KubeFailureKind? _reported;
    private string _reportedHolder = "";

    /// <summary>Timeout of one call. Three calls fit into the deadline.</summary>
    private TimeSpan CallTimeout => options.RenewDeadline / 3;

    private TimeSpan PauseAfterFailure => options.RetryPeriod / 4;

    /// <summary>
    /// Asks the wall clock too, because the monotonic clock stands still while a machine is suspended. If either says
    /// that it is too late, it is. A wall clock that was only set forward counts until the next renewal.
    /// </summary>
    public bool MayWrite => WriteTime > TimeSpan.Zero;

    /// <summary>
    /// The rest of the lease, minus half a <see cref="LeaderElectorOptions.RetryPeriod"/> for clocks that run unevenly;
    /// zero from <see cref="LeaderElectorOptions.RenewDeadline"/> on. With 15, 10 and 2 seconds the last renewal was
    /// sent at most 2 s and the time of a call ago, which leaves 12 to 14 s in normal renewal. While renewals fail it
    /// falls to 4 s, and then to zero. A write that needs longer must bound its own deadline by this.
    /// </summary>
    public TimeSpan WriteTime
    {
        get
        {
            lock (_gate)
            {
                if (_last is not { } last)
                    return TimeSpan.Zero;
                var (age, byWallClock) = (time.GetElapsedTime(last.SentAt), time.GetUtcNow() - last.SentAtWallClock);
                if (byWallClock > age)
                    age = byWallClock;
                var left = options.LeaseDuration - (options.RetryPeriod / 2) - age;
                return age < options.RenewDeadline && left > TimeSpan.Zero ? left : TimeSpan.Zero;
            }
        }
    }

    public async Task RunAsync(Func<Leadership, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var working = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var lost = new CancellationTokenSource();
        using var over = new CancellationTokenSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var election = ElectAsync(begun, working, lost, over.Token);
        try
        {
            await work(new Leadership(begun.Task, lost.Token), working.Token);
        }
        finally
        {
            over.Cancel();
            await election.ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
            );
            Resign();
            if (_mayHold && !election.IsFaulted)
                await new LeaseRelease(lease, _view, options.Identity, time, logger).RunAsync();
        }
        await election;
    }

    private async Task ElectAsync(
        TaskCompletionSource begun,
        CancellationTokenSource working,
        CancellationTokenSource lost,
        CancellationToken over
    )
    {
        var asked = false;
        try
        {
            // A standby that is asked to stop claims nothing more, a leader renews until its work has drained.
            using (var standby = CancellationTokenSource.CreateLinkedTokenSource(working.Token, over))
                await AcquireAsync(standby.Token);
            Log.Leading(logger, options.Identity);
            begun.TrySetResult();
            var reason = await HoldAsync(over);
            Log.LeadershipLost(logger, reason);
            throw new LeadershipLostException(reason);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested || working.IsCancellationRequested)
        {
            asked = true;
        }
        finally
        {
            if (!asked)
            {
                Resign();
                working.Cancel(); // first: code that saw only the second would take it for a mistake
                lost.Cancel();
            }
        }
    }

    /// <summary>Returns when the lease is ours.</summary>
    private async Task AcquireAsync(CancellationToken cancellationToken)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = lease.WatchAsync(_view.Observe, watching.Token);
        Lease claimed;
        try
        {
            claimed = await ClaimWhenFreeAsync(watch, cancellationToken);
        }
        finally
        {
            watching.Cancel();
            await watch.ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
            );
        }
        // A leader renews what it has written itself: if the watch saw another name meanwhile, the renewal finds it
        _view.Observe(claimed);
    }

    private async Task<Lease> ClaimWhenFreeAsync(Task watch, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = _view.NextChange();
            if (watch.IsFaulted)
                await watch;
            if (_view.Look().Record is null)
                await LookAsync(CallTimeout, cancellationToken);
            var judged = _view.Look();
            if (
                judged is { Record: not null, UntilFree.Ticks: 0 }
                && await ClaimAsync(judged, CallTimeout, cancellationToken) is { } claimed
                && MayWrite
            )
                return claimed;
            ReportHolder();
            await WaitAsync(changed, PauseBeforeNextClaim(), cancellationToken);
        }
    }

    /// <summary>Renews until that fails for good.</summary>
    /// <returns>Why it was lost.</returns>
    private async Task<string> HoldAsync(CancellationToken cancellationToken)
    {
        var pause = options.RetryPeriod;
        while (Left() is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(pause < left ? pause : left, time, cancellationToken);
            if (Left() is var rest && rest <= TimeSpan.Zero)
                break;
            if (await ClaimAsync(_view.Look(), rest < CallTimeout ? rest : CallTimeout, cancellationToken) is not null)
            {
                pause = options.RetryPeriod;
                continue;
            }
            pause = PauseAfterFailure;
            if (_found is { } found && found.HolderIdentity != options.Identity)
                return found.HolderIdentity == ""
                    ? "somebody has taken our name out of the lease"
                    : $"{found.HolderIdentity} holds the lease";
        }
        return $"the lease could not be renewed within {options.RenewDeadline}";
    }

    /// <summary>
    /// Writes the lease in our name. Succeeds only if the lease is still as in <paramref name="judged"/>.
    /// </summary>
    /// <returns>The lease as stored; null when the write failed.</returns>
    private async Task<Lease?> ClaimAsync(LeaseSnapshot judged, TimeSpan limit, CancellationToken cancellationToken)
    {
        var sent = new Renewal(time.GetTimestamp(), time.GetUtcNow());
        var claim = (judged.Record ?? new LeaseRecord()).HeldBy(
            options.Identity,
            options.LeaseDuration,
            sent.SentAtWallClock
        );
        _found = null;
        _mayHold = true;
        var (stored, failure) = await CallAsync(
            token =>
                judged.Version is { } version
                    ? lease.UpdateAsync(version, claim, token)
                    : lease.CreateAsync(claim, token),
            limit,
            cancellationToken
        );
        if (stored is not null)
        {
            _view.Observe(stored);
            lock (_gate)
                _last = sent;
        }
        else if (failure is KubeFailureKind.Conflict or KubeFailureKind.NotFound)
        {
            _found = await LookAsync(CallTimeout, cancellationToken);
        }
        return stored;
    }

    /// <returns>The record of the lease; null if there is no lease, or no answer.</returns>
    private async Task<LeaseRecord?> LookAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var (answer, failure) = await CallAsync(
            async token => new Answer(await lease.GetAsync(token)),
            limit,
            cancellationToken
        );
        if (failure is null)
            _view.Observe(answer?.Lease);
        return answer?.Lease?.Spec;
    }

    /// <summary>Makes a call with a deadline. Logs a failure once, until a call ends differently.</summary>
    private async Task<(T? Result, KubeFailureKind? Failure)> CallAsync<T>(
        Func<CancellationToken, Task<T>> call,
        TimeSpan limit,
        CancellationToken cancellationToken
    )
        where T : class
    {
        using var deadline = new Deadline(limit, time, cancellationToken);
        KubeFailureKind failure;
        string problem;
        try
        {
            var result = await call(deadline.Token);
            _reported = null;
            return (result, null);
        }
        catch (KubeApiException e)
        {
            (failure, problem) = (e.Failure, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            (failure, problem) = (KubeFailureKind.Transient, $"no answer within {limit}");
        }
        if (_reported != failure && failure != KubeFailureKind.Conflict)
            Log.LeaseFailed(logger, failure, problem);
        _reported = failure;
        return (null, failure);
    }

    /// <summary>
    /// Returns the time until the lease may be free. Where it may be free already, returns a random part of the retry
    /// period, so that claims of several processes spread.
    /// </summary>
    private TimeSpan PauseBeforeNextClaim()
    {
        var untilFree = _view.Look().UntilFree;
        if (untilFree == TimeSpan.Zero)
            return options.RetryPeriod * (0.5 + 0.5 * random.NextDouble());
        return untilFree < LongestWait ? untilFree : LongestWait;
    }

    private async Task WaitAsync(TaskCompletionSource changed, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(limit, time, cancellationToken);
        await using var registration = deadline.Token.UnsafeRegister(
            static state => (state as TaskCompletionSource)?.TrySetResult(),
            changed
        );
        await changed.Task;
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Ends the right to write, whatever the lease says.</summary>
    private void Resign()
    {
        lock (_gate)
            _last = null;
    }

    private void ReportHolder()
    {
        if (
            _view.Look().Record?.HolderIdentity is not { Length: > 0 } holder
            || holder == _reportedHolder
            || holder == options.Identity
        )
            return;
        _reportedHolder = holder;
        Log.StandingBy(logger, holder);
    }

    private TimeSpan Left()
    {
        lock (_gate)
            return _last is { } last ? Left(last) : TimeSpan.Zero;
    }

    private TimeSpan Left(Renewal last) => options.RenewDeadline - time.GetElapsedTime(last.SentAt);

    /// <summary>
    /// The times are from before the request left: the server cannot have stored the renewal earlier.
    /// </summary>
    private sealed record Renewal(long SentAt, DateTimeOffset SentAtWallClock);

    private sealed record Answer(Lease? Lease);
}
