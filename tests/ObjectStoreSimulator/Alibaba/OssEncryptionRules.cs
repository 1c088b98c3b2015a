using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Alibaba;

/// <summary>
/// What PutBucketEncryption takes, and how GetBucketEncryption gives it back.
/// AES256 and SM4 go without a key; KMS with or without; KMSDataEncryption goes with KMS only, and only as SM4. The key
/// is NOT looked at: OSS stores any text (the C# SDK's live test sets "kmsid" and reads it back). GET puts
/// KMSDataEncryption before KMSMasterKeyID, and an empty key is no key. Elements that this simulator does not know are
/// kept (whether OSS keeps them is UNCONFIRMED). Source: OSS help pages PutBucketEncryption, GetBucketEncryption, EC
/// 0005-00000003; SDK live tests.
/// </summary>
internal static class OssEncryptionRules
{
    private const string Root = "ServerSideEncryptionRule";
    private const string Apply = "ApplyServerSideEncryptionByDefault";
    private const string Algorithm = "SSEAlgorithm";
    private const string KeyId = "KMSMasterKeyID";
    private const string DataEncryption = "KMSDataEncryption";

    /// <returns>The XML to store, or the refusal.</returns>
    public static (string? Xml, StoreError? Refusal) Accept(
        ReadOnlyMemory<byte> body,
        Account account,
        BucketSettings bucket,
        SettingValues settings
    )
    {
        if (
            StoreXml.Parse(body) is not { } root
            || root.Name.LocalName != Root
            || StoreXml.Only(root, Apply) is not { } apply
            || StoreXml.Only(apply, Algorithm) is not { } algorithm
            || StoreXml.Children(apply, KeyId).Length > 1
            || StoreXml.Children(apply, DataEncryption).Length > 1
        )
        {
            return (null, OssErrors.MalformedXml);
        }

        return
            CheckValues(
                algorithm.Value.Trim(),
                StoreXml.Text(apply, KeyId),
                StoreXml.Text(apply, DataEncryption),
                account,
                bucket,
                settings
            )
                is { } refusal
            ? (null, refusal)
            : (InGetOrder(root, apply), null);
    }

    /// <summary>GetBucketInfo tells the rule in its own way: "None" and an empty key when there is none.</summary>
    public static XElement AsBucketInfo(string? stored)
    {
        XElement? apply = stored is null ? null : StoreXml.Only(XElement.Parse(stored), Apply);
        string? algorithm = apply is null ? null : StoreXml.Text(apply, Algorithm);
        string? dataEncryption = apply is null ? null : StoreXml.Text(apply, DataEncryption);
        return new XElement(
            Root,
            new XElement(Algorithm, algorithm ?? "None"),
            new XElement(DataEncryption, dataEncryption ?? "None"),
            new XElement(KeyId, apply is null ? "" : StoreXml.Text(apply, KeyId) ?? "")
        );
    }

    private static StoreError? CheckValues(
        string algorithm,
        string? keyId,
        string? dataEncryption,
        Account account,
        BucketSettings bucket,
        SettingValues settings
    )
    {
        if (algorithm is not ("AES256" or "KMS" or "SM4") || !settings.Offers(algorithm))
        {
            return OssErrors.InvalidEncryptionAlgorithm;
        }

        if (bucket.CloudBoxId is not null && (algorithm != "AES256" || keyId is not null))
        {
            // A CloudBox takes AES256 without a key only (help page); the code is UNCONFIRMED.
            return OssErrors.InvalidArgument("A CloudBox bucket supports AES256 only.");
        }

        if (algorithm != "KMS" && keyId is not null)
        {
            return OssErrors.InvalidArgument(
                "KMSMasterKeyID is not applicable if the default sse algorithm is not KMS"
            );
        }

        if (dataEncryption is not null && (algorithm != "KMS" || dataEncryption != "SM4"))
        {
            return OssErrors.InvalidArgument("KMSDataEncryption is invalid: it goes with KMS, and its value is SM4");
        }

        if (algorithm == "KMS" && !account.KmsEnabled)
        {
            return OssErrors.KmsServiceNotEnabled;
        }

        return (algorithm == "SM4" || dataEncryption == "SM4") && !account.Sm4Enabled ? OssErrors.Sm4NotOpen : null;
    }

    private static string InGetOrder(XElement root, XElement apply)
    {
        XElement copy = new(root);
        XElement target = StoreXml.Only(copy, Apply)!;
        XElement[] known =
        [
            .. StoreXml.Children(apply, Algorithm),
            .. StoreXml.Children(apply, DataEncryption).Where(StoreXml.HasText),
            .. StoreXml.Children(apply, KeyId).Where(StoreXml.HasText),
        ];
        XElement[] unknown =
        [
            .. apply.Elements().Where(element => element.Name.LocalName is not (Algorithm or DataEncryption or KeyId)),
        ];
        foreach (XElement element in known)
        {
            element.Value = element.Value.Trim();
        }

        target.ReplaceNodes(known.Concat(unknown).Select(element => new XElement(element)));
        return copy.ToString(SaveOptions.DisableFormatting);
    }
}
