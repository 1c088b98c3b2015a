using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator;

/// <summary>Sends an answer, or spoils it as a fault wants it spoilt.</summary>
internal sealed class AnswerWriter(HttpContext context)
{
    /// <summary>An answer without a body has no half; it then claims this much and sends none.</summary>
    private const int ClaimedBytesOfNoBody = 64;

    private const int EndlessChunkBytes = 16 * 1024;

    public async Task WriteAsync(StoreAnswer answer, FaultRule? fault, CancellationToken cancellationToken)
    {
        switch (fault?.Action)
        {
            case FaultAction.AnswerLost:
            case FaultAction.Truncate when answer.Status == 204:
                // HTTP gives a 204 no body, so there is nothing to cut.
                Reset(context);
                break;
            case FaultAction.Truncate:
                await WriteHalfAsync(answer, cancellationToken);
                break;
            case FaultAction.Endless:
                await WriteEndlessAsync(answer, Math.Min(fault.Bytes, FaultRule.MaxEndlessBytes), cancellationToken);
                break;
            default:
                await WriteWholeAsync(answer, cancellationToken);
                break;
        }
    }

    /// <summary>TCP reset, so that the client sees a broken connection and not an end.</summary>
    public static void Reset(HttpContext context)
    {
        if (context.Features.Get<IConnectionSocketFeature>() is { } connection)
        {
            try
            {
                connection.Socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (Exception closed) when (closed is ObjectDisposedException or SocketException)
            {
                // The client was faster.
            }
        }

        context.Abort();
    }

    private async Task WriteWholeAsync(StoreAnswer answer, CancellationToken cancellationToken)
    {
        Begin(answer);
        if (answer.Status != 204)
        {
            context.Response.ContentLength = answer.Body.Length;
            await context.Response.Body.WriteAsync(answer.Body, cancellationToken);
        }
    }

    /// <summary>
    /// Sends less than Content-Length says; the server then closes the connection when this request ends.
    /// </summary>
    private async Task WriteHalfAsync(StoreAnswer answer, CancellationToken cancellationToken)
    {
        Begin(answer);
        context.Response.ContentLength = answer.Body.IsEmpty ? ClaimedBytesOfNoBody : answer.Body.Length;
        await context.Response.StartAsync(cancellationToken);
        await context.Response.Body.WriteAsync(answer.Body[..(answer.Body.Length / 2)], cancellationToken);
        await context.Response.Body.FlushAsync(cancellationToken);
    }

    private async Task WriteEndlessAsync(StoreAnswer answer, long bytes, CancellationToken cancellationToken)
    {
        Begin(answer with { Status = answer.Status == 204 ? 200 : answer.Status });
        byte[] chunk = [.. Enumerable.Repeat((byte)' ', EndlessChunkBytes)];
        await context.Response.Body.WriteAsync(answer.Body[..(answer.Body.Length / 2)], cancellationToken);
        for (long sent = 0; sent < bytes; sent += chunk.Length)
        {
            await context.Response.Body.WriteAsync(chunk, cancellationToken);
        }
    }

    private void Begin(StoreAnswer answer)
    {
        context.Response.StatusCode = answer.Status;
        foreach ((string name, string value) in answer.Headers)
        {
            context.Response.Headers[name] = value;
        }
    }
}
