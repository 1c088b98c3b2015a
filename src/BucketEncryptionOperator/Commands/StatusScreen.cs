using System.Collections.Immutable;
using System.Text.Json;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// Shows rows that change: on a terminal the whole table in place of the last one; elsewhere first all rows, then each
/// that has changed, in the state <c>Deleted</c> where it is not there any more.
/// </summary>
/// <param name="isJson">A line of JSON per row.</param>
internal sealed class StatusScreen(CommandConsole console, TimeProvider time, bool isJson, bool onlyNotCompliant)
{
    /// <summary>The bucket, or the policy, is not there any more.</summary>
    private const string Deleted = "Deleted";

    /// <summary>Clears a terminal, its history too.</summary>
    private const string Clear = "\u001b[H\u001b[2J\u001b[3J";

    private Dictionary<(string, string, string?), (StatusRow Row, string Text)>? _last;

    public async Task ShowAsync(ImmutableArray<StatusRow> all)
    {
        ImmutableArray<StatusRow> rows = onlyNotCompliant ? [.. all.Where(r => !r.IsAsDeclared)] : all;
        if (console.IsTerminal && !isJson)
        {
            await console.Output.WriteAsync(Clear);
            await console.WriteTableAsync(StatusCommand.TableOf(rows, time.GetUtcNow()));
            await console.WriteLineAsync(StatusCommand.SummaryOf(all));
            return;
        }
        var now = rows.ToDictionary(r => (r.Namespace, r.Policy, r.Bucket), r => (Row: r, Text: JsonOf(r)));
        var isFirst = _last is null;
        var last = _last ?? [];
        List<StatusRow> changed =
        [
            .. now.Where(r => last.GetValueOrDefault(r.Key).Text != r.Value.Text).Select(r => r.Value.Row),
            .. last.Where(r => !now.ContainsKey(r.Key)).Select(r => r.Value.Row with { State = Deleted }),
        ];
        _last = now;
        if (isJson)
        {
            foreach (var row in changed)
                await console.WriteLineAsync(JsonOf(row));
        }
        else if (isFirst || changed.Count > 0)
            await console.Output.WriteAsync(
                StatusCommand.TableOf(changed, time.GetUtcNow()).ToPlainText(withHead: isFirst)
            );
        await console.Output.FlushAsync();
    }

    private static string JsonOf(StatusRow row) =>
        JsonSerializer.Serialize(row, StatusLineJsonContext.Default.StatusRow);
}
