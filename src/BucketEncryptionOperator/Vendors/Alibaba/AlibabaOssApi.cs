using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>Alibaba Cloud OSS: PUT, GET and DELETE <c>?encryption</c> with signature version 4. Facts and sources: docs/vendors/alibaba.md.</summary>
internal sealed class AlibabaOssApi(VendorHttp http, TimeProvider time) : IBucketEncryptionApi
{
    private const string Product = "oss";
    private const string SubResource = "encryption";

    public async Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        const string Operation = "GetBucketEncryption";
        using var request = Build(HttpMethod.Get, address, key, body: null);
        var response = await http.SendAsync(request, Operation, cancellationToken);
        if (!response.IsSuccess)
        {
            var failure = OssErrors.Read(response, Operation);
            return OssErrors.SaysNotConfigured(failure) ? new Observation(new BucketEncryption.None(), Document: null) : throw new VendorException(failure);
        }
        return OssDocument.Read(response.Body) is { } encryption
            ? new Observation(encryption, response.Body)
            : throw new VendorException(new Failure(FailureKind.Transient, Operation, "UnreadableAnswer")
            {
                HttpStatus = (int)response.Status,
                Message = "The answer is not a ServerSideEncryptionRule document.",
                RequestId = response.Header("x-oss-request-id"),
            });
    }

    public async Task PutAsync(BucketAddress address, AccessKey key, BucketEncryption target, Observation basis, CancellationToken cancellationToken)
    {
        using var request = Build(HttpMethod.Put, address, key, OssDocument.Write(target, basis.Document));
        await SucceedAsync(request, "PutBucketEncryption", cancellationToken);
    }

    public async Task DeleteAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken)
    {
        using var request = Build(HttpMethod.Delete, address, key, body: null);
        await SucceedAsync(request, "DeleteBucketEncryption", cancellationToken);
    }

    private async Task SucceedAsync(HttpRequestMessage request, string operation, CancellationToken cancellationToken)
    {
        var response = await http.SendAsync(request, operation, cancellationToken);
        if (!response.IsSuccess && OssErrors.Read(response, operation) is { } failure && !(request.Method == HttpMethod.Delete && OssErrors.SaysNotConfigured(failure)))
            throw new VendorException(failure);
    }

    /// <summary>A signed request. The bucket is in the canonical resource whatever the URL style.</summary>
    [SuppressMessage("Security", "CA5351:Do not use broken cryptographic algorithms", Justification = "Content-MD5 is the vendor's integrity check, not a defence.")]
    internal HttpRequestMessage Build(HttpMethod method, BucketAddress address, AccessKey key, string? body)
    {
        var date = OssV4Signer.FormatDate(time.GetUtcNow());
        var headers = new List<KeyValuePair<string, string>>
        {
            new(OssV4Signer.DateHeader, date),
            new(OssV4Signer.PayloadHeader, OssV4Signer.UnsignedPayload),
        };
        if (key.SecurityToken is { } token)
            headers.Add(new(OssV4Signer.TokenHeader, token));

        var request = new HttpRequestMessage(method, Target(address));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null)
        {
            var bytes = Encoding.UTF8.GetBytes(body);
            var md5 = MD5.HashData(bytes);
            request.Content = new ByteArrayContent(bytes);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
            request.Content.Headers.ContentMD5 = md5;
            headers.Add(new("content-type", "application/xml"));
            headers.Add(new("content-md5", Convert.ToBase64String(md5)));
        }
        var input = new OssCanonicalInput(method.Method, address.Bucket, ObjectKey: "", [new(SubResource, null)], headers, AdditionalHeaders: []);
        request.Headers.TryAddWithoutValidation("Authorization", OssV4Signer.Authorize(input, key, date, address.Region, Product));
        return request;
    }

    private static Uri Target(BucketAddress address)
    {
        var endpoint = address.Endpoint;
        return address.PathStyle
            ? new Uri($"{endpoint.Scheme}://{endpoint.Authority}/{address.Bucket}/?{SubResource}")
            : new Uri($"{endpoint.Scheme}://{address.Bucket}.{endpoint.Authority}/?{SubResource}");
    }
}
