package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"maskfleet/pkg/client"
)

const longConfigure = `Asks for the address of the front door and an API key, tries them, and keeps
them in a file that only you can read. The key is made on the account page; it
needs the scopes read and write.

Where no person sits at the keyboard, the two are read as two lines:

  printf '%s\n' https://maskfleet.example.com "$KEY" | maskfleet configure`

func (a *app) configureCommand() *cobra.Command {
	return &cobra.Command{
		Use: "configure", Short: "Keep the address of the front door and an API key",
		Long: longConfigure, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.configure(cmd.Context()) },
	}
}

func (a *app) configure(ctx context.Context) error {
	path := a.configPath()
	now, err := readSettings(path)
	if err != nil {
		return err
	}
	lines := bufio.NewReader(a.In)
	url, err := a.ask(lines, "Address of the front door", now.URL)
	if err != nil {
		return err
	}
	key, err := a.askSecret(lines, "API key (not shown)")
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{URL: url, Key: key, Patience: noPatience})
	if err != nil {
		return err
	}
	if _, err := c.Limits(ctx); err != nil {
		return fmt.Errorf("trying them: %w", err)
	}
	if err := writeSettings(path, settings{URL: url, Key: key}); err != nil {
		return err
	}
	a.say("They work. Kept in %s.", path)
	return nil
}

// ask reads a line; an empty one means what is there now.
func (a *app) ask(lines *bufio.Reader, what, now string) (string, error) {
	if now != "" {
		what += " [" + now + "]"
	}
	fmt.Fprintf(a.Err, "%s: ", what)
	line, err := lines.ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	if line = strings.TrimSpace(line); line == "" {
		line = now
	}
	return line, nil
}

func (a *app) askSecret(lines *bufio.Reader, what string) (string, error) {
	if !terminal(a.In) {
		return a.ask(lines, what, "")
	}
	fmt.Fprintf(a.Err, "%s: ", what)
	secret, err := term.ReadPassword(int(a.In.(*os.File).Fd()))
	fmt.Fprintln(a.Err)
	if err != nil {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	return strings.TrimSpace(string(secret)), nil
}
