class TracingMiddleware {
    constructor() {
        this.tracer = trace.getTracer('http-middleware');
    }

    express() {
        return (req, res, next) => {
            const span = this.tracer.startSpan(`${req.method} ${req.path}`, {
                kind: SpanKind.SERVER,
                attributes: {
                    'http.method': req.method,
                    'http.url': req.url,
                    'http.target': req.path,
                    'http.host': req.hostname,
                    'http.scheme': req.protocol,
                    'http.user_agent': req.get('user-agent'),
                },
            });

            req.span = span;
            req.traceId = span.spanContext().traceId;
            res.setHeader('X-Trace-Id', req.traceId);

            const originalEnd = res.end;
            res.end = function(...args) {
                span.setAttribute('http.status_code', res.statusCode);
                if (res.statusCode >= 400) {
                    span.setStatus({ code: SpanStatusCode.ERROR, message: `HTTP ${res.statusCode}` });
                }
                span.end();
                originalEnd.apply(res, args);
            };

            next();
        };
    }
}
