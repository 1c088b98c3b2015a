using System.Globalization;
using System.Text;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

/// <summary>
/// Every operation, with every status and every kind of body, for every vendor. What they mean is a table of
/// docs/design/0013-answers.md, which is made here: BEO_UPDATE_TABLES=1 writes it anew.
/// </summary>
public sealed class AnswersTests
{
    private const int MostRows = 40;
    private const string Begin = "<!-- table: made by AnswersTests -->\n";
    private const string End = "<!-- end of the table -->\n";
    private const string Base = "s3";
    private const string NotConfiguredBody = "the vendor's error \"not configured\"";
    private const string RightBody = "the right document";
    private const string EmptyConfigurationBody = "the right document, empty";
    private const string Nothing = "nothing";
    private const string Blanks = "blanks";
    private const string RejectedKey = "the vendor's `InvalidAccessKeyId`";
    private const string VendorsPrefix = "the vendor's ";

    private static readonly string File = Path.Combine(Repository.Root, "docs", "design", "0013-answers.md");

    private static readonly Dictionary<string, string> Operations = new(StringComparer.Ordinal)
    {
        [AnswerContext.Get] = "read",
        [AnswerContext.Put] = "write",
        [AnswerContext.Delete] = "removal",
    };

    /// <summary>Kind of body → the body, by the vendor.</summary>
    private static readonly Dictionary<string, Func<string, string>> Bodies = new(StringComparer.Ordinal)
    {
        [Nothing] = _ => "",
        [Blanks] = _ => "\r\n \r\n\uFEFF",
        ["HTML"] = _ => "<html><body><h1>404</h1></body></html>",
        ["text"] = _ => "404 page not found",
        ["JSON"] = _ => """{"code":"404","message":"no route"}""",
        ["another's error"] = _ => "<Error><Code>Blocked</Code><Message>by the firewall</Message></Error>",
        ["half an answer"] = v => Dialects.Document(v, "<SSEAlgorithm>AES256</SSEAlgorithm>")[..60],
        ["an answer to another question"] = _ => "<ListBucketResult><Name>b</Name></ListBucketResult>",
        ["a document of nobody's"] = _ => "<status><ok/></status>",
        [RightBody] = v => Dialects.Document(v, "<SSEAlgorithm>AES256</SSEAlgorithm>"),
        [EmptyConfigurationBody] = v => Dialects.Document(v, ""),
        ["the right document, not understood"] = v => Dialects.Document(v, "<Better>AES512</Better>"),
        [NotConfiguredBody] = _ => ErrorTableTests.Error("NoSuchEncryptionConfiguration"),
        ["the vendor's `AccessDenied`"] = _ => ErrorTableTests.Error("AccessDenied"),
        [RejectedKey] = _ => ErrorTableTests.Error("InvalidAccessKeyId"),
        ["the vendor's `NoSuchBucket`"] = _ => ErrorTableTests.Error("NoSuchBucket"),
        ["the vendor's `NotImplemented`"] = _ => ErrorTableTests.Error("NotImplemented"),
        ["the vendor's `SlowDown`"] = _ => ErrorTableTests.Error("SlowDown"),
        ["the vendor's `OperationAborted`"] = _ => ErrorTableTests.Error("OperationAborted"),
        ["the vendor's `InternalError`"] = _ => ErrorTableTests.Error("InternalError"),
        ["the vendor's error that no table knows"] = _ => ErrorTableTests.Error("SomethingNew"),
        ["the vendor's `NoSuchBucket`, in JSON"] = _ => """{"Code":"NoSuchBucket","RequestId":"r"}""",
    };

    private sealed record Cell(
        string Vendor,
        string Operation,
        string Body,
        int Status,
        Failure? Failure,
        BucketEncryption? Value
    )
    {
        public bool IsRead => Operation == AnswerContext.Get;

        public bool IsGood => Status is >= 200 and < 300;

        /// <summary>A value, or (of a write) done.</summary>
        public bool Succeeds => Failure is null;

        public string Outcome =>
            (Value, Failure) switch
            {
                (BucketEncryption.None, _) => "nothing is configured",
                ({ }, _) => "what the bucket has",
                (null, null) => "done",
                _ => $"{Failure!.Kind} | "
                    + $"`{(Failure.Code.StartsWith("HTTP_", StringComparison.Ordinal) ? "HTTP_nnn" : Failure.Code)}`",
            };

        public string Who =>
            Failure switch
            {
                { IsVendorAnswer: true, ConcernsCredentials: true } => "yes: of the key",
                { IsVendorAnswer: true } => "yes",
                { IsForeign: true } => "no",
                null => "yes",
                _ => "not known",
            };

        public override string ToString() =>
            $"{Vendor}, {Operations[Operation]}, {Status} with {Body}: {Failure?.ToString() ?? Outcome}";
    }

    private static readonly Lazy<List<Cell>> Cells = new(() => [.. All()]);

    /// <summary>A value that the vendor did not give would lead to a write, or keep one from being sent.</summary>
    private static readonly int[] SomeStatuses = [200, 204, 302, 400, 403, 404, 409, 429, 500, 501, 503];

    [Fact]
    public void A_read_gives_a_value_only_by_the_right_document_or_by_the_vendors_code()
    {
        var wrong = Cells.Value.Where(c =>
            c.IsRead
            && c.Succeeds
            && !(
                (c.IsGood && c.Body is RightBody or EmptyConfigurationBody)
                || (c.Body == NotConfiguredBody && c.Status is >= 400 and < 500)
            )
        );

        Assert.Empty(wrong);
        Assert.All(
            Cells.Value.Where(c => c is { IsRead: true, IsGood: true, Body: RightBody }),
            c => Assert.Equal(new BucketEncryption.Aes256(), c.Value)
        );
    }

    [Fact]
    public void A_write_is_done_only_by_an_empty_answer_with_a_good_status()
    {
        var wrong = Cells.Value.Where(c =>
            !c.IsRead
            && c.Succeeds
            && !(
                (c.IsGood && c.Body is Nothing or Blanks)
                || (c.Operation == AnswerContext.Delete && c.Body == NotConfiguredBody && c.Status is >= 400 and < 500)
            )
        );

        Assert.Empty(wrong);
    }

    /// <summary>
    /// Claims move, and keys are rejected, by what the vendor itself says of this bucket with this key: never by its
    /// silence.
    /// </summary>
    [Fact]
    public void Only_the_vendors_code_moves_a_claim_or_rejects_a_key()
    {
        var moves = Cells.Value.Where(c =>
            c.Failure is { IsVendorAnswer: true } && !c.Body.StartsWith(VendorsPrefix, StringComparison.Ordinal)
        );
        var rejects = Cells.Value.Where(c => c.Failure is { ConcernsCredentials: true } && c.Body != RejectedKey);
        var both = Cells.Value.Where(c => c.Failure is { IsVendorAnswer: true, IsForeign: true });

        Assert.Empty(moves);
        Assert.Empty(rejects);
        Assert.Empty(both);
        Assert.All(
            Cells.Value.Where(c => c.Body == RejectedKey),
            c => Assert.True(c.Failure is { ConcernsCredentials: true, IsVendorAnswer: true }, c.ToString())
        );
    }

    [Fact]
    public void What_is_nobodys_word_passes_by_itself()
    {
        var wrong = Cells.Value.Where(c => c.Failure is { IsForeign: true, PassesByItself: false });

        Assert.Empty(wrong);
    }

    [Fact]
    public void Blanks_before_an_answer_change_nothing()
    {
        var wrong =
            from vendor in Dialects.All.Keys
            from operation in Operations.Keys
            from body in Bodies
            where body.Key is not (Nothing or Blanks)
            from status in SomeStatuses
            let plain = Read(vendor, operation, body.Key, body.Value(vendor), status)
            let behind = Read(vendor, operation, body.Key, "\r\n \uFEFF\n" + body.Value(vendor), status)
            where plain != behind
            select $"{plain}, and behind blanks: {behind}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_table_in_the_docs_is_this_one()
    {
        var (table, rows) = Table();
        var text = System.IO.File.ReadAllText(File);
        var (from, to) = (
            text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length,
            text.IndexOf(End, StringComparison.Ordinal)
        );
        if (Environment.GetEnvironmentVariable("BEO_UPDATE_TABLES") == "1")
            System.IO.File.WriteAllText(File, text = text[..from] + table + text[to..]);

        Assert.InRange(rows, 1, MostRows);
        Assert.True(
            text.Contains(Begin + table + End, StringComparison.Ordinal),
            $"{File} differs; BEO_UPDATE_TABLES=1 writes it anew:\n{table}"
        );
    }

    private static IEnumerable<Cell> All() =>
        from vendor in Dialects.All.Keys
        from operation in Operations.Keys
        from body in Bodies
        from status in Enumerable.Range(200, 400)
        select Read(vendor, operation, body.Key, body.Value(vendor), status);

    private static Cell Read(string vendor, string operation, string name, string body, int status)
    {
        var (dialect, response) = (Dialects.All[vendor], ErrorTableTests.Answer(status, body));
        var failure = Answers.Problem(dialect, response, new AnswerContext(operation));
        if (operation != AnswerContext.Get)
            return new Cell(
                vendor,
                operation,
                name,
                status,
                Answers.IsDone(failure, operation) ? null : failure,
                Value: null
            );
        var (observed, problem) = Answers.Observe(dialect, response, failure);
        return new Cell(vendor, operation, name, status, problem, observed?.Encryption);
    }

    private static (string Text, int Rows) Table()
    {
        var text = new StringBuilder();
        var known = Cells
            .Value.Where(c => c.Vendor == Base)
            .ToDictionary(c => (c.Operation, c.Body, c.Status), c => (c.Outcome, c.Who));
        var rows = Rows(Cells.Value.Where(c => c.Vendor == Base)).ToList();
        text.Append(
            "| answer to a | status | body | what it means | code | the vendor's word |\n|---|---|---|---|---|---|\n"
        );
        foreach (var row in rows)
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {row.Operations} | {row.Statuses} | {row.Bodies} | {row.Outcome} | {row.Who} |\n"
            );
        text.Append(
            "\nWhere a vendor differs from S3:\n\n| vendor | answer to a | status | body | what it means | code | the "
                + "vendor's word |\n|---|---|---|---|---|---|---|\n"
        );
        foreach (var vendor in Dialects.All.Keys.Where(v => v != Base))
        {
            var others = Rows(
                    Cells.Value.Where(c =>
                        c.Vendor == vendor && known[(c.Operation, c.Body, c.Status)] != (c.Outcome, c.Who)
                    )
                )
                .ToList();
            foreach (var row in others)
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {vendor} | {row.Operations} | {row.Statuses} | {row.Bodies} | {row.Outcome} | {row.Who} |\n"
                );
            rows.AddRange(others);
        }
        return (text.ToString(), rows.Count);
    }

    /// <summary>Cells of one meaning in one row, wherever the same statuses mean the same.</summary>
    private static IEnumerable<(string Operations, string Statuses, string Bodies, string Outcome, string Who)> Rows(
        IEnumerable<Cell> cells
    )
    {
        var statuses =
            from c in cells
            group c.Status by (c.Outcome, c.Who, c.Operation, c.Body) into g
            select (g.Key.Outcome, g.Key.Who, g.Key.Operation, g.Key.Body, Statuses: Ranges(g));
        var operations =
            from s in statuses
            group Operations[s.Operation] by (s.Outcome, s.Who, s.Statuses, s.Body) into g
            select (g.Key.Outcome, g.Key.Who, g.Key.Statuses, g.Key.Body, Operations: string.Join(", ", g));
        return from o in operations
            group o.Body by (o.Outcome, o.Who, o.Statuses, o.Operations) into g
            select (
                g.Key.Operations,
                g.Key.Statuses,
                string.Join("; ", g),
                g.Key.Outcome.Contains('|', StringComparison.Ordinal) ? g.Key.Outcome : g.Key.Outcome + " |",
                g.Key.Who
            );
    }

    private static string Ranges(IEnumerable<int> statuses)
    {
        var ranges = new List<(int From, int To)>();
        foreach (var status in statuses.Order())
        {
            if (ranges.Count > 0 && ranges[^1].To == status - 1)
                ranges[^1] = (ranges[^1].From, status);
            else
                ranges.Add((status, status));
        }
        return string.Join(", ", ranges.Select(r => r.From == r.To ? $"{r.From}" : $"{r.From}–{r.To}"));
    }
}
