using System.Reflection;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;
using Microsoft.Extensions.Logging;

namespace BucketEncryptionOperator.Tests.Hosting;

/// <summary>docs/logs.md lists every message that the operator and the runtime have, by its id, and no other.</summary>
public sealed class LogPageTests
{
    private static readonly IReadOnlyList<LoggerMessageAttribute> Messages =
    [
        .. new[] { typeof(KubeClient).Assembly, typeof(StatusReporter).Assembly }
            .SelectMany(a => a.GetTypes())
            .Where(t => t.Name == "Log")
            .SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static))
            .Select(m => m.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>(),
    ];

    [Fact]
    public void No_two_messages_have_one_id()
    {
        Assert.InRange(Messages.Count, 30, 200);
        Assert.Empty(
            Messages
                .GroupBy(m => m.EventId)
                .Where(g => g.Count() > 1)
                .Select(g => string.Join(" and ", g.Select(m => m.Message)))
        );
    }

    [Fact]
    public void The_page_lists_every_message_by_id_and_no_other()
    {
        var rows = File.ReadLines(Path.Combine(Repository.Root, "docs/logs.md"))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length == 6 && int.TryParse(cells[1], out _))
            .Select(cells =>
                (
                    Id: int.Parse(cells[1], System.Globalization.CultureInfo.InvariantCulture),
                    Level: cells[2],
                    Message: cells[3],
                    Advice: cells[4]
                )
            )
            .ToList();

        Assert.Equal(
            Messages.OrderBy(m => m.EventId).Select(m => (m.EventId, m.Message)),
            rows.Select(r => (r.Id, r.Message))
        );
        Assert.All(
            Messages.Where(m => m.Level != LogLevel.None),
            m => Assert.Equal($"{m.Level}", rows.Single(r => r.Id == m.EventId).Level)
        );
        Assert.All(rows, r => Assert.NotEmpty(r.Advice));
    }
}
