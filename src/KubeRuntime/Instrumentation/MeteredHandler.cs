using System.Globalization;

namespace KubeRuntime.Instrumentation;

/// <summary>Counts requests, and how long each took until the head of its answer.</summary>
internal sealed class MeteredHandler(RuntimeMetrics metrics, Uri server, TimeProvider time) : DelegatingHandler
{
    private readonly KeyValuePair<string, object?> _host = new("host", server.Authority);

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        if (!metrics.Requests.Enabled && !metrics.RequestTime.Enabled)
            return await base.SendAsync(request, cancellationToken);
        var from = time.GetTimestamp();
        var code = "<error>";
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            code = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
            return response;
        }
        finally
        {
            metrics.Requests.Add(1, new("code", code), new("method", request.Method.Method), _host);
            metrics.RequestTime.Record(
                time.GetElapsedTime(from).TotalSeconds,
                new("verb", request.Method.Method),
                _host
            );
        }
    }
}
