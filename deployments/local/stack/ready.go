package stack

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answerLimit bounds one question; awaitReady asks again.
const answerLimit = 2 * time.Second

// httpReady asks for a 200.
func httpReady(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := httpGet(ctx, url)
		return err
	}
}

// countReady asks for a metric without labels that is at least 1.
func countReady(url, metric string) func(context.Context) error {
	return func(ctx context.Context) error {
		text, err := httpGet(ctx, url)
		if err != nil {
			return err
		}
		for line := range strings.Lines(text) {
			fields := strings.Fields(line)
			if len(fields) != 2 || fields[0] != metric {
				continue
			}
			if count, err := strconv.ParseFloat(fields[1], 64); err == nil && count >= 1 {
				return nil
			}
			return fmt.Errorf("%s is %s", metric, fields[1])
		}
		return fmt.Errorf("%s has no %s", url, metric)
	}
}

func httpGet(ctx context.Context, url string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: answerLimit}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	const mostBytes = 1 << 20
	text, err := io.ReadAll(io.LimitReader(response.Body, mostBytes))
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", url, response.Status)
	}
	return string(text), nil
}

// connects is ready when somebody accepts.
func connects(address string) func(context.Context) error { return connectsTo("tcp", address) }

func connectsTo(network, address string) func(context.Context) error {
	return func(ctx context.Context) error {
		dialer := net.Dialer{Timeout: answerLimit}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// greets is ready when the server speaks first, as MySQL's and NATS's do once
// they take clients; a listening socket alone says less.
func greets(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := dial(ctx, address)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
		return err
	}
}

// redisReady asks with the password: without it a server that is still loading answers
// as one that serves.
func redisReady(address, password string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := dial(ctx, address)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", password); err != nil {
			return err
		}
		answers := bufio.NewReader(conn)
		for _, want := range []string{"+OK", "+PONG"} {
			answer, err := answers.ReadString('\n')
			if err != nil {
				return err
			}
			if answer = strings.TrimSpace(answer); answer != want {
				return fmt.Errorf("redis answers %q, not %q", answer, want)
			}
		}
		return nil
	}
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: answerLimit}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(answerLimit))
}
