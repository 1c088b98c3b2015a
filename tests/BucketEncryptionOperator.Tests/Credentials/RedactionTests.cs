using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using k8s.Models;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed class RedactionTests
{
    private static readonly AccessKey Key = new("LTAI-hush", "hush-secret", "hush-token");

    private static readonly V1Secret Secret = new()
    {
        Metadata = new V1ObjectMeta { Name = "keys", NamespaceProperty = "team-a" },
        Data = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["accessKeySecret"] = "hush"u8.ToArray() },
    };

    private static readonly Dictionary<string, object> Holders = new(StringComparer.Ordinal)
    {
        ["the key itself"] = Key,
        ["a copy of it"] = Key with { Id = "LTAI-hush-2" },
        ["a read of it"] = new Result<AccessKey>(Key, Failure: null),
        ["a record that holds it"] = new Holder(Key, Secret),
        ["a tuple that holds it"] = (Key, Secret),
        ["a temporary key"] = new TemporaryKey(Key, TimeSpan.FromHours(1)),
        ["the answer that has it"] = new IdentityAnswer(System.Net.HttpStatusCode.OK, "hush", DateTimeOffset.UnixEpoch),
        ["the Secret itself"] = Secret,
        ["a read of the Secret"] = new Result<V1Secret>(Secret, Failure: null),
    };

    public static TheoryData<string> Sentences => new(Holders.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void No_printed_form_shows_a_key(string sentence)
    {
        var text = $"{Holders[sentence]}";

        Assert.DoesNotContain("hush", text, StringComparison.OrdinalIgnoreCase);
        Assert.NotEqual(0, text.Length);
    }

    private sealed record Holder(AccessKey Key, V1Secret Secret);
}
