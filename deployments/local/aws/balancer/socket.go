package balancer

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// answerLimit is far more than HAProxy takes.
const answerLimit = 2 * time.Second

// ask sends one line, which may hold several commands, and gives the whole answer.
func (b *Balancer) ask(ctx context.Context, line string) (string, error) {
	dialer := net.Dialer{Timeout: answerLimit}
	conn, err := dialer.DialContext(ctx, "unix", b.config.Socket)
	if err != nil {
		return "", fmt.Errorf("reaching the balancer: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return "", fmt.Errorf("reaching the balancer: %w", err)
	}
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", fmt.Errorf("asking the balancer: %w", err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", fmt.Errorf("asking the balancer: %w", err)
	}
	return string(answer), nil
}

// order asks for something that is answered by wanted, or by nothing if that is
// empty; anything else is HAProxy's reason why not.
func (b *Balancer) order(ctx context.Context, command, wanted string) error {
	answer, err := b.ask(ctx, command)
	if err != nil {
		return err
	}
	if text := strings.TrimSpace(answer); text != wanted {
		return fmt.Errorf("telling the balancer %q: %s", command, text)
	}
	return nil
}
