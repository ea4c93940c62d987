// Command client is a Go service as OpenTelemetry's documentation would have it written: its spans go to Backtrail over OTLP/gRPC.
//
// `client sample` sends one trace that uses every feature of the API that reaches the wire, and prints its ids. `client serve` is
// the hop in Go of the trace that crosses all languages.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) != 1 {
		return errors.New("usage: client sample|serve")
	}
	provider, err := newProvider(ctx)
	if err != nil {
		return err
	}
	// Sends what is waiting.
	defer func() { err = errors.Join(err, provider.Shutdown(context.WithoutCancel(ctx))) }()

	switch args[0] {
	case "sample":
		return sendSample(ctx, provider)
	case "serve":
		return serve(ctx)
	default:
		return fmt.Errorf("unknown command %q: sample or serve", args[0])
	}
}

// newProvider takes endpoint, compression and service from the variables of OpenTelemetry's specification.
func newProvider(ctx context.Context) (*trace.TracerProvider, error) {
	// An exporter that is told of a refused span says so here and nowhere else.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Print("opentelemetry: ", err) }))
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, err
	}
	described, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return nil, err
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(described))
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return provider, nil
}
