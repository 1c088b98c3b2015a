using System.Collections.Immutable;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace ObjectStoreSimulator;

/// <summary>
/// <c>object-store-simulator [--vendor NAME]… [--listen ADDRESS:PORT] [--ready-file PATH] [--seed-file PATH]
/// [--tls-ca-file PATH]</c>. Exit codes: 0 stopped by a signal, 2 bad arguments.
/// </summary>
internal static class SimulatorProgram
{
    private static readonly string Usage =
        "usage: object-store-simulator [--vendor NAME]... [--listen 127.0.0.1:0] "
        + "[--ready-file PATH] [--seed-file PATH] [--tls-ca-file PATH]\n"
        + $"vendors: {string.Join(", ", Enum.GetNames<Vendor>())}; one store each, in this order";

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

        if (await ReadArgumentsAsync(args, stop.Token) is not { } arguments)
        {
            return 2;
        }

        List<SimulatorServer> servers = [];
        using TestAuthority? authority = arguments.AuthorityFile is null ? null : new TestAuthority();
        try
        {
            foreach (Vendor vendor in arguments.Vendors.IsEmpty ? [Vendor.AlibabaOSS] : arguments.Vendors)
            {
                servers.Add(
                    await SimulatorServer.StartAsync(
                        arguments.Options with
                        {
                            Vendor = vendor,
                            Authority = authority,
                            Listen = arguments.ListenOf(servers.Count),
                        },
                        stop.Token
                    )
                );
            }

            if (arguments.AuthorityFile is { } authorityFile)
            {
                await PublishAsync(authorityFile, authority!.Pem, stop.Token);
            }

            string[] urls = [.. servers.Select(server => server.Url.GetLeftPart(UriPartial.Authority))];
            if (arguments.ReadyFile is { } readyFile)
            {
                await PublishAsync(readyFile, string.Join('\n', urls), stop.Token);
            }

            foreach (string url in urls)
            {
                Console.WriteLine($"ready {url}");
            }

            TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await using CancellationTokenRegistration registration = stop.Token.Register(() => stopped.TrySetResult());
            await stopped.Task;
            return 0;
        }
        finally
        {
            foreach (SimulatorServer server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    /// <summary>Renamed into place, so that a reader never sees half a line.</summary>
    private static async Task PublishAsync(string path, string text, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(path + ".tmp", text + "\n", cancellationToken);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private static async Task<Arguments?> ReadArgumentsAsync(string[] args, CancellationToken cancellationToken)
    {
        Arguments arguments = new();
        for (int i = 0; i < args.Length; i += 2)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--vendor" when Enum.GetNames<Vendor>().Contains(value, StringComparer.Ordinal):
                    arguments = arguments with { Vendors = arguments.Vendors.Add(Enum.Parse<Vendor>(value!)) };
                    break;
                case "--listen" when value is not null && IPEndPoint.TryParse(value, out IPEndPoint? listen):
                    arguments = arguments with { Options = arguments.Options with { Listen = listen } };
                    break;
                case "--ready-file" when value is not null:
                    arguments = arguments with { ReadyFile = value };
                    break;
                case "--tls-ca-file" when value is not null:
                    arguments = arguments with { AuthorityFile = value };
                    break;
                case "--seed-file" when value is not null:
                    try
                    {
                        arguments = arguments with
                        {
                            Options = arguments.Options with { Seed = await Seed.ReadAsync(value, cancellationToken) },
                        };
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

        return arguments;
    }

    private sealed record Arguments
    {
        public SimulatorOptions Options { get; init; } = new();

        public ImmutableArray<Vendor> Vendors { get; init; } = [];

        public string? ReadyFile { get; init; }

        public string? AuthorityFile { get; init; }

        /// <summary>
        /// Of several stores the first has the port that was asked for, the next ones those after it; port 0 is a free
        /// one for each.
        /// </summary>
        public IPEndPoint ListenOf(int store) =>
            new(Options.Listen.Address, Options.Listen.Port == 0 ? 0 : Options.Listen.Port + store);
    }
}
