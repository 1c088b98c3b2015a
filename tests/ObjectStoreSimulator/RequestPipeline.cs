using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator;

/// <summary>
/// The walk of one request: read → understood by the dialect → counted and recorded → faults drawn → latency → hold
/// "before" → answered (or refused by a fault) → the write noted → hold "after" → counted → delivered (whole, half,
/// endless, or not at all).
/// </summary>
internal sealed class RequestPipeline(World world, IDialect dialect, CancellationToken stopping)
{
    /// <summary>Far above any encryption document; the vendors' own limits are not published.</summary>
    private const int MaxBodyBytes = 64 * 1024;

    private static readonly byte[] Garbage =
        "\u0000\u0001<html><body>upstream connect error</not-xml\uFFFD"u8.ToArray();

    private const string Page = "<!DOCTYPE html><html><body>Please sign in to use this network.</body></html>";

    public async Task HandleAsync(HttpContext context)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted,
            stopping
        );
        StoreCall call = dialect.Read(await ReadAsync(context, ended.Token));
        Recorder.Entry entry = world.Recorder.Add(call, world.Clock.UtcNow, context.Connection.RemotePort);
        int generation = world.Counters.Started(call);
        try
        {
            (StoreAnswer answer, FaultRule? fault) = await DecideAsync(call, ended.Token);
            world.Recorder.Answered(entry, answer);
            await world.HoldPoints.PassAsync(call, HoldPhase.After, world.Clock.UtcNow, ended.Token);
            bool spoils =
                fault?.Action
                is FaultAction.Truncate
                    or FaultAction.Cut
                    or FaultAction.AnswerLost
                    or FaultAction.Garbage
                    or FaultAction.Endless
                    or FaultAction.Page
                    or FaultAction.Redirect;
            world.Counters.Ended(call, generation, spoils ? CallEnd.Spoiled : CallEnd.Answered, answer.ErrorCode);
            await new AnswerWriter(context).WriteAsync(answer, fault, ended.Token);
        }
        catch (ConnectionLostException)
        {
            world.Counters.Ended(call, generation, CallEnd.Spoiled, errorCode: null);
            AnswerWriter.Reset(context);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            world.Counters.Ended(call, generation, CallEnd.Spoiled, errorCode: null);
            AnswerWriter.Reset(context);
        }
    }

    /// <exception cref="ConnectionLostException">
    /// A fault wants the connection reset before anything is done.
    /// </exception>
    /// <exception cref="OperationCanceledException">
    /// The client went away, or the simulator stops, while the request waited.
    /// </exception>
    private async Task<(StoreAnswer Answer, FaultRule? Fault)> DecideAsync(
        StoreCall call,
        CancellationToken cancellationToken
    )
    {
        (TimeSpan latency, FaultRule? fault) = world.Faults.Draw(call);
        if (latency > TimeSpan.Zero)
        {
            await Task.Delay(latency, world.Clock.Time, cancellationToken);
        }

        await world.HoldPoints.PassAsync(call, HoldPhase.Before, world.Clock.UtcNow, cancellationToken);
        StoreAnswer answer;
        switch (fault?.Action)
        {
            case FaultAction.Reset:
                throw new ConnectionLostException();
            case FaultAction.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, world.Clock.Time, cancellationToken);
                throw new ConnectionLostException();
            case FaultAction.Error:
                answer = Injected(call, fault);
                break;
            case FaultAction.EmptyBody:
                answer = dialect.WithoutBody(fault.Code is null ? dialect.Answer(call) : Injected(call, fault));
                break;
            case FaultAction.Cut:
                answer = dialect.Answer(call);
                answer = answer with { Body = answer.Body[..(answer.Body.Length / 2)] };
                break;
            case FaultAction.Garbage:
                answer = dialect.Answer(call);
                answer = answer with { Status = fault.Status ?? answer.Status, Body = Garbage };
                break;
            case FaultAction.Page:
                answer = OfSomebodyElse(fault);
                break;
            case FaultAction.Redirect:
                answer = new(fault.Status ?? 302, null, [new("Location", fault.Location ?? "")], default);
                break;
            default:
                answer = dialect.Answer(call);
                break;
        }

        if (call.IsWrite)
        {
            world.Counters.Wrote(call, world.Clock.UtcNow, answer.ErrorCode);
        }

        return (world.Settings.Values.EmptyErrorBodies ? dialect.WithoutBody(answer) : answer, fault);
    }

    private StoreAnswer Injected(StoreCall call, FaultRule fault)
    {
        StoreAnswer answer = dialect.Refuse(
            call,
            new StoreError(
                fault.Status ?? 500,
                fault.Code ?? "InternalError",
                fault.Message ?? "Injected by the simulator.",
                fault.Ec
            )
        );
        return fault.RetryAfterSeconds is { } seconds ? answer.With("Retry-After", $"{seconds}") : answer;
    }

    private static StoreAnswer OfSomebodyElse(FaultRule fault) =>
        new(
            fault.Status ?? 200,
            null,
            [new("Content-Type", fault.ContentType ?? "text/html")],
            Encoding.UTF8.GetBytes(fault.Body ?? Page)
        );

    private static async Task<StoreRequest> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        using MemoryStream body = new();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(8192);
        try
        {
            int read;
            while (
                body.Length <= MaxBodyBytes
                && (read = await context.Request.Body.ReadAsync(buffer, cancellationToken)) > 0
            )
            {
                await body.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        ImmutableSortedDictionary<string, string> headers = context.Request.Headers.ToImmutableSortedDictionary(
            header => header.Key.ToLowerInvariant(),
            header => string.Join(',', header.Value.ToArray()),
            StringComparer.Ordinal
        );
        string rawTarget = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return new StoreRequest(
            context.Request.Method,
            context.Request.Host.Value ?? "",
            rawTarget,
            headers,
            body.ToArray(),
            body.Length > MaxBodyBytes
        );
    }
}

/// <summary>The connection is to be reset without an answer.</summary>
internal sealed class ConnectionLostException() : Exception("The connection is to be reset without an answer.");
