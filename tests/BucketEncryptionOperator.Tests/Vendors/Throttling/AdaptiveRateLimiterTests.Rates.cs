using BucketEncryptionOperator.Encryption;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Throttling;

public sealed partial class AdaptiveRateLimiterTests
{
    /// <summary>
    /// A vendor that takes 10 requests a second: the rate found, what it refused on the way, and that all is done.
    /// </summary>
    [Theory]
    [InlineData(10)]
    [InlineData(3)]
    [InlineData(16)]
    public async Task The_rate_of_a_vendor_that_throttles_is_found(int vendorRate)
    {
        const int Workers = 16;
        var jobs = vendorRate * 120;
        var (allowance, filledAt, taken, refused, left) = ((double)vendorRate, _time.GetTimestamp(), 0, 0, jobs);
        var gate = new Lock();
        var running = Workers;

        async Task WorkAsync()
        {
            while (true)
            {
                lock (gate)
                {
                    if (left == 0)
                    {
                        running--;
                        return;
                    }
                    left--;
                }
                while (true)
                {
                    using var turn = await EnterAsync();
                    var ok = Take();
                    turn.Send().Answered(ok ? null : SlowDown);
                    if (ok)
                        break;
                }
            }
        }

        bool Take()
        {
            lock (gate)
            {
                allowance = Math.Min(
                    vendorRate,
                    allowance + (_time.GetElapsedTime(filledAt).TotalSeconds * vendorRate)
                );
                filledAt = _time.GetTimestamp();
                if (allowance < 1)
                {
                    refused++;
                    return false;
                }
                allowance--;
                taken++;
                return true;
            }
        }

        var work = Enumerable.Range(0, Workers).Select(_ => WorkAsync()).ToList();
        var (start, half) = (_time.GetTimestamp(), default((int Taken, TimeSpan At)?));
        while (running > 0)
        {
            // All wait for the clock
            await Waiting.UntilAsync(() => State is { InFlight: 0 } state && state.Waiting == running);
            if (half is null && taken >= jobs / 2)
                half = (taken, _time.GetElapsedTime(start));
            _time.Advance(TimeSpan.FromMilliseconds(20));
        }
        await Task.WhenAll(work).Within();

        var found = (taken - half!.Value.Taken) / (_time.GetElapsedTime(start) - half.Value.At).TotalSeconds;
        output.WriteLine(
            $"vendor takes {vendorRate}/s: found {found:0.0}/s, {taken} done, {refused} refused on the way "
                + $"({100.0 * refused / (taken + refused):0.0} %)"
        );
        Assert.Equal(jobs, taken);
        Assert.InRange(found, 0.8 * vendorRate, 1.2 * vendorRate);
        Assert.InRange(refused, 1, jobs / 10);
    }

    /// <summary>A vendor that is down may answer like one that throttles: 503 SlowDown to everything.</summary>
    [Theory]
    [InlineData("a whole outage", 200, 2.5, 12)]
    [InlineData("too short a row for one", 9, 2.5, 3)]
    public async Task After_an_outage_the_rate_returns_in_seconds(
        string sentence,
        int refused,
        double first,
        double later
    )
    {
        await AnswerAsync(SlowDown, refused);
        Assert.True(State.RequestsPerSecond is >= 0.5 and < 3, sentence);

        await AnswerAsync(failure: null, 1);
        Assert.InRange(State.RequestsPerSecond, first, first + 0.5);
        await AnswerAsync(failure: null, 32);
        Assert.InRange(State.RequestsPerSecond, later, later + 1);
        await AnswerAsync(failure: null, 30);
        await AnswerAsync(SlowDown, 1);
        var lowered = State.RequestsPerSecond;
        await AnswerAsync(failure: null, 10);

        Assert.Equal(lowered + 0.3, State.RequestsPerSecond, tolerance: 0.001); // the vendor's limit again
    }

    private async Task AnswerAsync(Failure? failure, int times)
    {
        for (var i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            using var turn = await EnterAsync();
            turn.Send().Answered(failure);
        }
    }
}
