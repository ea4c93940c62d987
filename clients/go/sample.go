package main

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// start is the same in the test that reads the sample back.
var start = time.Unix(1_760_000_000, 123)

func at(milliseconds int) trace.SpanEventOption {
	return trace.WithTimestamp(start.Add(time.Duration(milliseconds) * time.Millisecond))
}

// sendSample ends a trace under a remote parent and prints the ids that the SDK made.
func sendSample(ctx context.Context, provider *sdktrace.TracerProvider) error {
	tracer := provider.Tracer("backtrail.sample", trace.WithInstrumentationVersion("1.2.3"))
	parent, err := remoteParent()
	if err != nil {
		return err
	}

	ctx, server := tracer.Start(trace.ContextWithRemoteSpanContext(ctx, parent), "GET /käse/{größe} 🧀", at(0),
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(
			attribute.String("text", "plain"),
			attribute.String("text.empty", ""),
			attribute.String("text.unicode", "Grüße, 世界 🚀 \"quoted\" \\ back\nslash"),
			attribute.Bool("flag.yes", true),
			attribute.Bool("flag.no", false),
			attribute.Int("int", 42),
			attribute.Int64("int.lowest", math.MinInt64),
			attribute.Int64("int.largest", math.MaxInt64),
			attribute.Float64("double", 2.5),
			attribute.Float64("double.whole", 3),
			attribute.StringSlice("texts", []string{"a", "", "ü"}),
			attribute.BoolSlice("flags", []bool{true, false}),
			attribute.Int64Slice("ints", []int64{1, -2}),
			attribute.Float64Slice("doubles", []float64{0.5, 3}),
		))

	_, client := tracer.Start(ctx, "SELECT carts", at(5),
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithLinks(trace.Link{SpanContext: parent, Attributes: []attribute.KeyValue{attribute.Int("link.attempt", 2)}}))
	client.AddEvent("row.read", at(6), trace.WithAttributes(attribute.Int("row.number", 17)))
	client.RecordError(errors.New("no such column: größe"), at(8), trace.WithStackTrace(true))
	client.SetStatus(codes.Error, "no such column: größe")
	client.End(at(9))

	_, internal := tracer.Start(ctx, "price", at(10))
	internal.SetStatus(codes.Ok, "")
	internal.End(at(10))

	server.End(at(40))
	return json.NewEncoder(os.Stdout).Encode(map[string]string{
		"trace":    server.SpanContext().TraceID().String(),
		"parent":   parent.SpanID().String(),
		"server":   server.SpanContext().SpanID().String(),
		"client":   client.SpanContext().SpanID().String(),
		"internal": internal.SpanContext().SpanID().String(),
	})
}

// remoteParent is a span in a new trace that nobody sends.
func remoteParent() (trace.SpanContext, error) {
	// Only a provider makes ids, so a span that is not recorded lends its own.
	_, never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())).Tracer("").Start(context.Background(), "")
	state, err := trace.ParseTraceState("vendor=t61rcWkgMzE")
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    never.SpanContext().TraceID(),
		SpanID:     never.SpanContext().SpanID(),
		TraceFlags: trace.FlagsSampled,
		TraceState: state,
		Remote:     true,
	}), err
}
