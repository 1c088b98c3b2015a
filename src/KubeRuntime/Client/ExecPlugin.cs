using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.KubeConfigModels;

namespace KubeRuntime.Client;

/// <summary>What a credential plugin gave.</summary>
/// <param name="Expires">Null: it does not say.</param>
public sealed record ExecCredential(string? Token, X509Certificate2? Certificate, DateTimeOffset? Expires)
{
    public override string ToString() => "(redacted)";
}

/// <summary>
/// A credential plugin of a kubeconfig (<c>users[].user.exec</c>): a program that prints an <c>ExecCredential</c> with
/// a token, or a client certificate and its key. It is run when a request needs one, again shortly before what it gave
/// expires, and after the server refused that. The library's own runner is not used: it joins the arguments with
/// blanks, waits for a program's end before it reads what it prints, and does not end one that hangs.
/// </summary>
/// <param name="exec">As the kubeconfig has it; the command is a path, or a name to look for in PATH.</param>
/// <param name="execInfo">Text for <c>KUBERNETES_EXEC_INFO</c>.</param>
/// <param name="origin">Names file and context in messages.</param>
public sealed class ExecPlugin(ExternalExecution exec, string execInfo, string origin, TimeProvider time) : IDisposable
{
    /// <summary>Once it takes longer than that it hangs.</summary>
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(30);

    /// <summary>What expires in less than that is asked for again.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Between two runs, whatever came of the first: a refused token must not start a program for each request.
    /// </summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private const int MaxOutput = 1024 * 1024;
    private const int MaxErrors = 300;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private ExecCredential? _given;
    private KubeApiException? _failure;
    private long? _ranAt;
    private volatile bool _isDoubted;

    /// <summary>What the plugin gave, if that is still good, else what it gives now.</summary>
    /// <exception cref="KubeApiException">
    /// Transient: it gave nothing that can be used. The message names it and what to do.
    /// </exception>
    public async ValueTask<ExecCredential> GetAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_ranAt is { } at && (IsGood() || time.GetElapsedTime(at) < Pause))
                return _given is { } given && !HasExpired(given) ? given : throw Again();
            _isDoubted = false;
            try
            {
                _given = await RunAsync(cancellationToken);
                _failure = null;
            }
            catch (KubeApiException e)
            {
                _failure = e;
            }
            _ranAt = time.GetTimestamp();
            return _given is { } now && !HasExpired(now) ? now : throw Again();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The server refused what the plugin gave.</summary>
    public void Doubt() => _isDoubted = true;

    public void Dispose() => _turn.Dispose();

    public override string ToString() => $"{origin}: exec plugin \"{exec.Command}\"";

    /// <summary>Returns whether the program can be found. A path is looked at, a name looked for in PATH.</summary>
    /// <param name="path">Value of the variable.</param>
    internal static bool IsInstalled(string command, string? path) =>
        command.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? File.Exists(command)
            : (path ?? "")
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Any(folder => File.Exists(Path.Combine(folder, command)));

    private bool IsGood() =>
        !_isDoubted && _failure is null && _given is { } given && !(given.Expires - Margin <= time.GetUtcNow());

    private bool HasExpired(ExecCredential given) => given.Expires <= time.GetUtcNow();

    private KubeApiException Again() =>
        _failure is { } failure
            ? new KubeApiException(KubeFailureKind.Transient, failure.Message, failure)
            : Problem("gave a credential that has expired");

    private KubeApiException Problem(string what) =>
        new(
            KubeFailureKind.Transient,
            $"{this} {what}" + (exec.InstallHint is { Length: > 0 } hint ? $". {OneLine(hint)}" : "")
        );

    private async Task<ExecCredential> RunAsync(CancellationToken cancellationToken)
    {
        using var process = new Process { StartInfo = StartInfo() };
        try
        {
            process.Start();
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            throw Problem($"cannot be started: {e.Message}");
        }
        using var deadline = new Deadline(TimeLimit, time, cancellationToken);
        try
        {
            process.StandardInput.Close();
            var errors = ReadAsync(process.StandardError.BaseStream, MaxErrors * 8, deadline.Token);
            var output = await ReadAsync(process.StandardOutput.BaseStream, MaxOutput, deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            var said = OneLine(Encoding.UTF8.GetString((await errors).Text));
            if (process.ExitCode != 0)
                throw Problem($"failed with exit code {process.ExitCode}" + (said.Length > 0 ? $": {said}" : ""));
            return output.IsWhole ? Parse(output.Text) : throw Problem($"printed more than {MaxOutput / 1024} KiB");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Problem($"did not end within {TimeLimit.TotalSeconds:0} s");
        }
        finally
        {
            End(process);
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(exec.Command)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in exec.Arguments ?? [])
            start.ArgumentList.Add(argument);
        foreach (var variable in exec.EnvironmentVariables ?? [])
            start.Environment[variable["name"]] = variable["value"];
        start.Environment["KUBERNETES_EXEC_INFO"] = execInfo;
        return start;
    }

    /// <summary>With all that it has started: what hangs is often a child.</summary>
    private static void End(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has just ended.
        }
    }

    /// <summary>
    /// Reads to the end, because a program whose output is not read does not end. Keeps at most
    /// <paramref name="limit"/> bytes.
    /// </summary>
    private static async Task<(byte[] Text, bool IsWhole)> ReadAsync(
        Stream stream,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var buffer = new byte[16 * 1024];
        using var text = new MemoryStream();
        var isWhole = true;
        for (int read; (read = await stream.ReadAsync(buffer, cancellationToken)) > 0; )
        {
            var free = limit - (int)text.Length;
            isWhole &= read <= free;
            text.Write(buffer, 0, Math.Min(read, free));
        }
        return (text.ToArray(), isWhole);
    }

    /// <summary>What is wrong is said, and nothing of the text is quoted: it holds a token, or half of one.</summary>
    private ExecCredential Parse(byte[] text)
    {
        ExecCredentialResponse? answer;
        try
        {
            answer = JsonSerializer.Deserialize(text, ExecJson.Default.ExecCredentialResponse);
        }
        catch (JsonException)
        {
            throw Problem("did not print an ExecCredential: not JSON");
        }
        if (answer?.Kind != "ExecCredential" || answer.Status is not { } status)
            throw Problem("did not print an ExecCredential with a status");
        if (answer.ApiVersion != exec.ApiVersion)
            throw Problem($"printed an ExecCredential of another apiVersion than {exec.ApiVersion}");
        if (status.ClientCertificateData is { Length: > 0 } != status.ClientKeyData is { Length: > 0 })
            throw Problem("gave only one of clientCertificateData and clientKeyData");
        var (token, certificate) = (status.Token is { Length: > 0 } t ? t : null, Certificate(status));
        if (token is null && certificate is null)
            throw Problem("gave neither a token nor a client certificate");
        try
        {
            var expires = status.ExpirationTimestamp is { } at
                ? new DateTimeOffset(at.ToUniversalTime())
                : (DateTimeOffset?)null;
            return new ExecCredential(token is null ? null : BearerToken.FromText(token).Current, certificate, expires);
        }
        catch (FormatException)
        {
            throw Problem("gave a token that is not one line of plain characters");
        }
    }

    private X509Certificate2? Certificate(ExecCredentialResponse.ExecStatus status)
    {
        if (
            status.ClientCertificateData is not { Length: > 0 } certificate
            || status.ClientKeyData is not { Length: > 0 } key
        )
            return null;
        try
        {
            return X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Problem("gave a client certificate and a key that are not PEM, or do not belong together");
        }
    }

    /// <summary>For a log: one line, bounded.</summary>
    private static string OneLine(string text)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var line = string.Concat(string.Join(' ', words).Where(c => !char.IsControl(c)));
        return line.Length <= MaxErrors ? line : line[..MaxErrors] + " …";
    }
}

[JsonSerializable(typeof(ExecCredentialResponse))]
internal sealed partial class ExecJson : JsonSerializerContext;
