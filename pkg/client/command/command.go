package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit codes.
const (
	exitOK          = 0
	exitNotAll      = 1 // not every item succeeded
	exitUsage       = 2
	exitFailed      = 3 // refused, not reachable, or a file cannot be read
	exitInterrupted = 130
)

// Surroundings is what the command sees of its process.
type Surroundings struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	// ConfigFolder and CacheFolder are the user's own; the command makes a folder of
	// its name in each.
	ConfigFolder, CacheFolder string
}

// errNotAll is what has been said already: not every item succeeded.
var errNotAll = errors.New("not every item succeeded")

// Run runs the command and gives its exit code. When ctx ends, it stops at a place
// where it can go on.
func Run(ctx context.Context, around Surroundings, args []string) int {
	a := &app{Surroundings: around}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(around.In)
	root.SetOut(around.Out)
	root.SetErr(around.Err)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errNotAll):
		return exitNotAll
	case ctx.Err() != nil:
		a.say("%s", a.interrupted())
		return exitInterrupted
	}
	a.say("maskfleet: %v", plain(err))
	if !a.began {
		a.say("Try: maskfleet help")
		return exitUsage
	}
	return exitFailed
}

// plain leaves out which system call a file could not be read by.
func plain(err error) error {
	if at, ok := err.(*fs.PathError); ok { //nolint:errorlint // one that is wrapped has a sentence round it
		return fmt.Errorf("%s: %w", at.Path, at.Err)
	}
	return err
}

// app is one run of the command.
type app struct {
	Surroundings
	flags globalFlags
	began bool   // the arguments were understood
	goOn  string // how to go on after an interruption; empty: there is nothing to go on with
}

type globalFlags struct {
	url, keyFile, config string
	quiet                bool
}

const longRoot = `maskfleet sends photos to a Maskfleet front door and says, for every face in
them, whether a mask is worn.

It needs the address of the front door and an API key, which is made on the
account page. Both are taken from, in this order:

  --url, --key-file             flags
  MASKFLEET_URL, MASKFLEET_KEY  the environment
  the configuration             written by “maskfleet configure”

Results go to the standard output; progress and messages to the standard error.

Exit codes: 0 done, and every item succeeded; 1 not every item succeeded;
2 the command was not understood; 3 refused, not reachable, or a file cannot be
read; 130 interrupted.`

const exampleRoot = `  maskfleet configure
  maskfleet submit --wait photos/
  maskfleet submit --wait --format csv photos/ > results.csv
  maskfleet status`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "maskfleet", Short: "Say of every face in many photos whether a mask is worn",
		Long: longRoot, Example: exampleRoot,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRun: func(*cobra.Command, []string) { a.began = true },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.flags.url, "url", "", "address of the front door (MASKFLEET_URL)")
	flags.StringVar(&a.flags.keyFile, "key-file", "", "file that holds the API key, instead of MASKFLEET_KEY")
	flags.StringVar(&a.flags.config, "config", "", "configuration file (default "+a.configPath()+")")
	flags.BoolVarP(&a.flags.quiet, "quiet", "q", false, "no progress")
	root.AddCommand(
		a.submitCommand(), a.statusCommand(), a.watchCommand(), a.resultsCommand(),
		a.cancelCommand(), a.retryCommand(), a.deleteCommand(),
		a.limitsCommand(), a.configureCommand(), a.loadCommand(),
	)
	return root
}

// say prints a line for the person, beside the results.
func (a *app) say(format string, values ...any) {
	fmt.Fprintf(a.Err, format+"\n", values...)
}

func (a *app) interrupted() string {
	if a.goOn == "" {
		return "Interrupted."
	}
	return "Interrupted. " + a.goOn
}

func (a *app) journals() string { return filepath.Join(a.CacheFolder, "maskfleet", "submissions") }

// terminal says whether a person is looking at what is written there.
func terminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
