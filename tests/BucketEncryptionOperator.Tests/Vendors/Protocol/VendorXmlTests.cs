using System.Net;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed class VendorXmlTests
{
    [Theory]
    [InlineData("sixteen levels below the root", 16, true)]
    [InlineData("seventeen levels below the root", 17, false)]
    [InlineData("a thousand levels below the root", 1000, false)]
    public void A_document_is_read_down_to_a_level(string sentence, int levels, bool isRead)
    {
        var text =
            "<root><flat/>words"
            + string.Concat(Enumerable.Repeat("<a>", levels))
            + string.Concat(Enumerable.Repeat("</a>", levels))
            + "</root>";

        Assert.True(VendorXml.Parse(text) is not null == isRead, sentence);
    }

    [Fact]
    public void An_answer_is_parsed_once()
    {
        using var message = new HttpResponseMessage(HttpStatusCode.OK);
        var response = new VendorResponse(HttpStatusCode.OK, "<a/>", message.Headers);

        Assert.Same(response.Root, response.Root);
        Assert.Null(new VendorResponse(HttpStatusCode.OK, "not XML", message.Headers).Root);
    }
}
