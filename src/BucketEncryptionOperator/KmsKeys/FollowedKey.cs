using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.KmsKeys;

/// <summary>
/// What is asked about one KMS key, and with which access key. Two equal questions have one answer; an answer is never
/// shared between access keys, for what one of them may not ask, its owner must not learn from another's answer.
/// </summary>
/// <param name="Vendor">Name of the vendor, whose form the question has.</param>
/// <param name="Credentials">Source of the access key.</param>
/// <param name="CredentialsVersion">Version of the access key: its owner's new key asks again.</param>
internal sealed record FollowedKey(
    string Vendor,
    KeyServiceAddress Service,
    KeySource Credentials,
    string CredentialsVersion,
    KmsKeyName Key
);
