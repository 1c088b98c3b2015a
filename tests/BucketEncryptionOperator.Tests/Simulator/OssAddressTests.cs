using ObjectStoreSimulator.Alibaba;
using ObjectStoreSimulator.Wire;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class OssAddressTests
{
    [Theory]
    [InlineData("public", "b.oss-cn-hangzhou.aliyuncs.com", "/?encryption", "VirtualHost", "b", "cn-hangzhou", null)]
    [InlineData(
        "internal",
        "b.oss-cn-hangzhou-internal.aliyuncs.com",
        "/?encryption",
        "VirtualHost",
        "b",
        "cn-hangzhou",
        null
    )]
    [InlineData(
        "dual stack",
        "b.cn-hangzhou.oss.aliyuncs.com",
        "/?encryption",
        "VirtualHost",
        "b",
        "cn-hangzhou",
        null
    )]
    [InlineData(
        "a domain of one's own, with a port",
        "b.oss-cn-hangzhou.storage.example:8080",
        "/?encryption",
        "VirtualHost",
        "b",
        "cn-hangzhou",
        null
    )]
    [InlineData(
        "accelerate names no region",
        "b.oss-accelerate.aliyuncs.com",
        "/?encryption",
        "VirtualHost",
        "b",
        null,
        null
    )]
    [InlineData(
        "accelerate overseas",
        "b.oss-accelerate-overseas.aliyuncs.com",
        "/?encryption",
        "VirtualHost",
        "b",
        null,
        null
    )]
    [InlineData(
        "CloudBox",
        "b.cb-123.cn-hangzhou.oss-cloudbox-control.aliyuncs.com",
        "/?encryption",
        "VirtualHost",
        "b",
        "cn-hangzhou",
        "cb-123"
    )]
    [InlineData(
        "ali-oss with an IP endpoint",
        "b.cn-hangzhou.aliyuncs.com",
        "/?encryption=",
        "VirtualHost",
        "b",
        "cn-hangzhou",
        null
    )]
    [InlineData("path style on an IP address", "127.0.0.1:8080", "/b/?encryption", "Path", "b", null, null)]
    [InlineData("path style without the slash", "127.0.0.1:8080", "/b?encryption", "Path", "b", null, null)]
    [InlineData("path style on IPv6", "[::1]:8080", "/b/?encryption", "Path", "b", null, null)]
    [InlineData("path style on a private name", "simulator:8080", "/b/?encryption", "Path", "b", null, null)]
    [InlineData(
        "path style on a public name",
        "oss-cn-hangzhou.aliyuncs.com",
        "/b/?encryption",
        "ForbiddenPath",
        "b",
        "cn-hangzhou",
        null
    )]
    [InlineData(
        "path style on a dual-stack name",
        "cn-hangzhou.oss.aliyuncs.com",
        "/b/?encryption",
        "ForbiddenPath",
        "b",
        "cn-hangzhou",
        null
    )]
    [InlineData(
        "absolute form: the target's host counts",
        "127.0.0.1:8080",
        "http://b.oss-cn-hangzhou.aliyuncs.com/?encryption",
        "VirtualHost",
        "b",
        "cn-hangzhou",
        null
    )]
    [InlineData(
        "absolute form without a path",
        "127.0.0.1:8080",
        "http://b.oss-cn-hangzhou.aliyuncs.com?encryption",
        "VirtualHost",
        "b",
        "cn-hangzhou",
        null
    )]
    [InlineData("a domain of the owner's", "files.example:8080", "/?encryption", "CustomDomain", "b", null, null)]
    public void Bucket_and_region_come_from_host_and_target(
        string what,
        string host,
        string target,
        string style,
        string? bucket,
        string? region,
        string? cloudBox
    )
    {
        StoreAddress address = StoreAddress.Parse(
            OssHosts.Rules,
            host,
            target,
            domain => domain == "files.example" ? "b" : null
        );

        Assert.Equal(
            (what, style, bucket, region, cloudBox),
            (what, address.Style.ToString(), address.Bucket, address.Region, address.CloudBoxId)
        );
        Assert.True(address.Asks("encryption"));
        Assert.Equal("", address.Key);
    }
}
