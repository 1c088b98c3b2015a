using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

public sealed class WriteHistoryTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly Goal Aes = new Goal.Declared(
        new DesiredEncryption.Aes256(),
        AtLeast: false,
        Consent: false
    );

    [Theory]
    [InlineData("the first write may take 10 s to show", 1, 10, false)]
    [InlineData("the second 20 s", 2, 20, false)]
    [InlineData("the third blows the fuse for 10 min", 3, 600, true)]
    [InlineData("each further one doubles it", 4, 1200, true)]
    [InlineData("and doubles it again", 5, 2400, true)]
    [InlineData("10 min times 2^7 is 21 h 20 min", 10, 76_800, true)]
    [InlineData("it never waits for more than a day", 11, 86_400, true)]
    [InlineData("not even after very many", 100, 86_400, true)]
    public void After_holds_the_next_write_back_for_longer_each_time(
        string sentence,
        int writes,
        int seconds,
        bool blown
    )
    {
        WriteHistory? history = null;
        for (var i = 0; i < writes; i++)
            history = WriteHistory.After(history, Aes, wasInSync: false, Now);

        Assert.True(history is not null && history.Count == writes, sentence);
        Assert.Equal(Now.AddSeconds(seconds), history.NotBefore);
        Assert.Equal(blown, history.FuseBlown);
    }

    [Fact]
    public void Another_declaration_starts_anew()
    {
        var blown = new WriteHistory("SM4", 7, Now.AddHours(1));

        var history = WriteHistory.After(WriteHistory.Concerning(blown, Aes, Now), Aes, wasInSync: false, Now);

        Assert.Equal(new WriteHistory("AES256", 1, Now.AddSeconds(10)) { RecordedAt = Now }, history);
    }

    /// <summary>
    /// Another node has written the time, and its clock may be ahead. Or somebody who may write statuses has.
    /// </summary>
    [Theory]
    [InlineData("a clock that is a day ahead", 86_400, 10)]
    [InlineData("a clock that is ahead by less than the pause", 5, 5)]
    [InlineData("a clock that is behind", -5, -5)]
    public void Another_nodes_clock_holds_no_write_back_for_longer_than_ones_own(string sentence, int ahead, int held)
    {
        var remembered = new WriteHistory("AES256", 1, Now.AddSeconds(ahead));

        var history = WriteHistory.Concerning(remembered, Aes, Now);

        Assert.True(Now.AddSeconds(held) == history?.NotBefore, sentence);
    }

    [Fact]
    public void A_count_that_somebody_edited_in_the_status_does_not_overflow()
    {
        var edited = new WriteHistory("AES256", int.MaxValue, Now);

        var history = WriteHistory.After(edited, Aes, wasInSync: false, Now);

        Assert.True(history.FuseBlown);
        Assert.Equal(Now.AddHours(24), history.NotBefore);
    }
}
