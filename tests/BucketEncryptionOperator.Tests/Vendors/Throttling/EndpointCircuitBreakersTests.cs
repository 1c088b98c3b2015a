using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Throttling;

public sealed class EndpointCircuitBreakersTests : IDisposable
{
    private static readonly BucketAddress Bucket = new(
        "finance-archive",
        new Uri("https://store.example"),
        "cn-hangzhou",
        Addressing.Path,
        VendorOptions.None
    );
    private static readonly Failure Silence = NoAnswer("Timeout");

    private readonly ManualTimeProvider _time = new();
    private readonly EndpointCircuitBreakers _breakers;
    private readonly List<(Uri Endpoint, EndpointChange Turn)> _news = [];

    public EndpointCircuitBreakersTests()
    {
        _breakers = new EndpointCircuitBreakers(_time);
        _breakers.Listen((endpoint, turn) => _news.Add((endpoint, turn)));
    }

    public void Dispose() => _breakers.Dispose();

    [Theory]
    [InlineData("no connection", "Unreachable")]
    [InlineData("no answer", "Timeout")]
    [InlineData("a connection that breaks, as a load balancer's that has nobody behind it", "BrokenAnswer")]
    public void After_three_requests_in_a_row_without_an_answer_none_is_sent(string sentence, string code)
    {
        Fail(NoAnswer(code));
        Fail(NoAnswer(code));
        _breakers.Check(Bucket, "Get");
        Fail(NoAnswer(code));

        var refused = Assert.Throws<VendorException>(() => _breakers.Check(Bucket, "Get")).Failure;

        Assert.True(
            (refused.Kind, refused.Code, refused.NotSent) == (FailureKind.Transient, "EndpointDown", true),
            sentence
        );
        Assert.Equal(EndpointCircuitBreakers.ShortestPause, refused.RetryAfter);
        Assert.Equal(Silence.Hint, refused.Hint);
        Assert.Equal(
            refused with
            {
                Operation = "Put",
            },
            Assert.Throws<VendorException>(() => _breakers.Enter(Bucket with { Bucket = "another" }, "Put")).Failure
        );
    }

    [Fact]
    public void An_answer_in_between_begins_the_count_anew()
    {
        for (var i = 0; i < 10; i++)
        {
            Fail(Silence);
            Fail(Silence);
            Answer();
        }

        _breakers.Check(Bucket, "Get");
        Assert.Empty(_news);
    }

    /// <summary>
    /// One bucket for which a vendor needs too long is not the endpoint's trouble, while others are answered.
    /// </summary>
    [Fact]
    public void Requests_that_were_sent_before_the_last_answer_do_not_count()
    {
        var sent = Enumerable.Range(0, 8).Select(_ => _breakers.Enter(Bucket, "Get")).ToList();
        _time.Advance(TimeSpan.FromSeconds(1));
        Answer();
        _time.Advance(TimeSpan.FromSeconds(9));

        sent.ForEach(pass => End(pass, Silence));

        _breakers.Check(Bucket, "Get");
    }

    [Theory]
    [InlineData("a name that does not resolve may be one bucket's", "NameNotResolved")]
    [InlineData("a certificate that is not accepted is somebody's", "TlsFailed")]
    [InlineData("an answer that is too long is one", "AnswerTooLarge")]
    [InlineData("an address that is not allowed was not asked", "AddressNotAllowed")]
    public void What_fails_in_another_way_does_not_count(string sentence, string code)
    {
        for (var i = 0; i < 20; i++)
            Fail(NoAnswer(code));

        Assert.Null(Record.Exception(() => _breakers.Check(Bucket, sentence)));
    }

    [Fact]
    public void One_request_at_a_time_asks_whether_it_answers_again()
    {
        Open();
        _time.Advance(EndpointCircuitBreakers.ShortestPause);

        var probe = _breakers.Enter(Bucket, "Get");
        Assert.Throws<VendorException>(() => _breakers.Enter(Bucket, "Get"));
        End(probe, Silence);
        Assert.Throws<VendorException>(() => _breakers.Enter(Bucket, "Get"));
        _time.Advance(EndpointCircuitBreakers.ShortestPause);
        Answer();

        Answer();
        Assert.Equal((Bucket.Endpoint, EndpointChange.Up), _news[^1]);
    }

    [Theory]
    [InlineData("503 for a minute", 20, 60, true)]
    [InlineData("too few to be a row", 2, 60, false)]
    [InlineData("over in a moment", 20, 4, false)]
    public void The_end_of_a_row_of_faults_is_told_and_nothing_is_refused_in_it(
        string sentence,
        int faults,
        int seconds,
        bool isTold
    )
    {
        for (var i = 0; i < faults; i++)
        {
            if (i > 0)
                _time.Advance(TimeSpan.FromSeconds(seconds) / (faults - 1));
            using var pass = _breakers.Enter(Bucket, "Get");
            pass.Answered(isFault: true);
        }
        Assert.Empty(_news);

        Answer();
        Answer();

        Assert.True(_news.SequenceEqual(isTold ? [(Bucket.Endpoint, EndpointChange.Up)] : []), sentence);
    }

    /// <summary>What a status says must not change with each probe.</summary>
    [Fact]
    public void A_probe_that_fails_is_told_what_all_others_are_told_but_that_it_was_sent()
    {
        Open();
        var refused = Assert.Throws<VendorException>(() => _breakers.Check(Bucket, "Get")).Failure;
        _time.Advance(EndpointCircuitBreakers.ShortestPause);

        using var probe = _breakers.Enter(Bucket, "Get");
        var probed = probe.Failed(NoAnswer("Unreachable"));

        Assert.Equal(refused with { NotSent = false }, probed);
    }

    [Fact]
    public void A_probe_that_was_not_sent_leaves_its_place_to_the_next()
    {
        Open();
        _time.Advance(EndpointCircuitBreakers.ShortestPause);

        _breakers.Enter(Bucket, "Put").Dispose(); // stopped by a last check, or cancelled

        Answer();
        Assert.Contains((Bucket.Endpoint, EndpointChange.Up), _news);
    }

    [Fact]
    public void A_late_answer_to_an_earlier_request_is_an_answer()
    {
        var late = _breakers.Enter(Bucket, "Get");
        Open();

        End(late, failure: null);

        _breakers.Check(Bucket, "Get");
        Assert.Equal([(Bucket.Endpoint, EndpointChange.Up)], _news);
    }

    [Theory]
    [InlineData(10, 1, 1)]
    [InlineData(80, 1.3, 1.5)]
    [InlineData(300, 5, 5.5)]
    [InlineData(86_400, 30, 30)]
    public void The_pause_between_two_probes_is_a_sixtieth_of_the_time_that_it_has_been_down(
        int secondsDown,
        double least,
        double most
    )
    {
        Open();
        var down = _time.GetTimestamp();
        while (_time.GetElapsedTime(down).TotalSeconds < secondsDown)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            if (Record.Exception(() => _breakers.Check(Bucket, "Get")) is null)
                Fail(Silence);
        }
        while (Record.Exception(() => _breakers.Check(Bucket, "Get")) is not null)
            _time.Advance(TimeSpan.FromSeconds(0.1));
        Fail(Silence);

        var pause = Assert.Throws<VendorException>(() => _breakers.Check(Bucket, "Get")).Failure.RetryAfter!.Value;

        Assert.InRange(pause.TotalSeconds, least, most);
    }

    [Fact]
    public void Somebody_is_asked_for_a_probe_that_nobody_sends_and_again_when_he_does_not()
    {
        Open();
        Assert.Empty(_news);

        _time.Advance(EndpointCircuitBreakers.ShortestPause + TimeSpan.FromMilliseconds(1));
        var first = _news.Count;
        _time.Advance(EndpointCircuitBreakers.ShortestPause + TimeSpan.FromMilliseconds(1));
        var second = _news.Count;
        var probe = _breakers.Enter(Bucket, "Get");
        _time.Advance(TimeSpan.FromSeconds(10));
        var duringProbe = _news.Count;
        End(probe, Silence);
        _time.Advance(EndpointCircuitBreakers.ShortestPause + TimeSpan.FromMilliseconds(1));

        Assert.Equal((1, 2, 2, 3), (first, second, duringProbe, _news.Count));
        Assert.All(_news, n => Assert.Equal((Bucket.Endpoint, EndpointChange.ProbeDue), n));
    }

    [Fact]
    public void An_endpoint_that_answers_again_asks_for_nothing_more()
    {
        Open();
        _time.Advance(EndpointCircuitBreakers.ShortestPause);
        Answer();
        _news.Clear();

        _time.Advance(TimeSpan.FromHours(2));

        Assert.Empty(_news);
    }

    [Fact]
    public void Another_endpoint_and_another_bundle_of_roots_have_a_breaker_of_their_own()
    {
        Open();

        _breakers.Check(Bucket with { Endpoint = new Uri("https://store.example:8443") }, "Get");
        _breakers.Check(Bucket with { Endpoint = new Uri("http://store.example") }, "Get");
        _breakers.Check(Bucket with { CaBundle = "a bundle" }, "Get");
        Assert.Equal(1, _breakers.OpenCount);
    }

    [Fact]
    public void Endpoints_without_end_leave_a_bounded_number_of_breakers_behind_and_unused_ones_none()
    {
        for (var i = 0; i < EndpointCircuitBreakers.MaxEndpoints + 10; i++)
            Fail(Silence, Bucket with { Endpoint = new Uri($"https://{i}.example") });
        var most = _breakers.Count;

        Open();
        for (var minutes = 0; minutes < 65; minutes++)
            _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal((EndpointCircuitBreakers.MaxEndpoints, 0), (most, _breakers.Count));
    }

    private static Failure NoAnswer(string code) => new(FailureKind.Transient, "Get", code) { Hint = "Check the way." };

    private void Open()
    {
        for (var i = 0; i < EndpointCircuitBreakers.OpensAt; i++)
            Fail(Silence);
    }

    private void Fail(Failure failure, BucketAddress? address = null) =>
        End(_breakers.Enter(address ?? Bucket, "Get"), failure);

    private void Answer() => End(_breakers.Enter(Bucket, "Get"), failure: null);

    private static void End(EndpointCircuitBreakers.Pass pass, Failure? failure)
    {
        using (pass)
        {
            if (failure is null)
                pass.Answered();
            else
                pass.Failed(failure);
        }
    }
}
