package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
)

// serve answers at `/` with what the service at NEXT_URL answers, until SIGTERM.
func serve(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listens on http://%s\n", listener.Addr())

	routes := http.NewServeMux()
	routes.HandleFunc("GET /", relay)
	server := http.Server{Handler: otelhttp.NewHandler(routes, "server")}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		err := server.Shutdown(context.WithoutCancel(ctx))
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
}

func relay(response http.ResponseWriter, request *http.Request) {
	answer, err := askNext(request.Context())
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(response, "go > %s", answer)
}

func askNext(ctx context.Context) (string, error) {
	ctx, span := otel.Tracer("backtrail.hop").Start(ctx, "ask the next service")
	defer span.End()
	span.SetAttributes(attribute.String("hop.language", "go"))

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("NEXT_URL"), nil)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("the next service answered %s: %s", response.Status, answer))
	}
	return string(answer), err
}
