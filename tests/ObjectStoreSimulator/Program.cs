using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace ObjectStoreSimulator;

/// <summary><c>object-store-simulator [--listen ADDRESS:PORT] [--ready-file PATH] [--seed-file PATH]</c>. Exit codes: 0 stopped by a signal, 2 bad arguments.</summary>
internal static class SimulatorProgram
{
    private const string Usage = "usage: object-store-simulator [--listen 127.0.0.1:0] [--ready-file PATH] [--seed-file PATH]";

    public static async Task<int> Main(string[] args)
    {
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        if (await ReadArgumentsAsync(args, stop.Token) is not var (options, readyFile))
        {
            return 2;
        }

        await using SimulatorServer server = await SimulatorServer.StartAsync(options, stop.Token);
        string url = server.Url.GetLeftPart(UriPartial.Authority);
        if (readyFile is not null)
        {
            // Renamed into place, so that a reader never sees half a line.
            await File.WriteAllTextAsync(readyFile + ".tmp", url + "\n", stop.Token);
            File.Move(readyFile + ".tmp", readyFile, overwrite: true);
        }

        Console.WriteLine($"ready {url}");
        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = stop.Token.Register(() => stopped.TrySetResult());
        await stopped.Task;
        return 0;
    }

    private static async Task<(SimulatorOptions Options, string? ReadyFile)?> ReadArgumentsAsync(string[] args, CancellationToken cancellationToken)
    {
        SimulatorOptions options = new();
        string? readyFile = null;
        for (int i = 0; i < args.Length; i += 2)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--listen" when value is not null && IPEndPoint.TryParse(value, out IPEndPoint? listen):
                    options = options with { Listen = listen };
                    break;
                case "--ready-file" when value is not null:
                    readyFile = value;
                    break;
                case "--seed-file" when value is not null:
                    try
                    {
                        options = options with { Seed = await Seed.ReadAsync(value, cancellationToken) };
                    }
                    catch (Exception e) when (e is IOException or JsonException)
                    {
                        // The message of a JsonException tells place and path, never a value.
                        await Console.Error.WriteLineAsync($"object-store-simulator: cannot read {value}: {e.Message}");
                        return null;
                    }

                    break;
                default:
                    await Console.Error.WriteLineAsync($"object-store-simulator: bad argument {args[i]}\n{Usage}");
                    return null;
            }
        }

        return (options, readyFile);
    }
}
