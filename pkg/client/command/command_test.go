package command_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"maskfleet/pkg/client/clienttest"
)

func TestBatchCommands(t *testing.T) {
	t.Parallel()
	door := openDoor(t, nil)
	p := at(t, door)
	p.run("submit", album(t, 2, "bad.jpg")).want(t, 0)
	p.run("status", "b1").want(t, 0, "status   in_progress", "3 in all, 3 to come")
	door.Finish("b1", 2)
	p.run("results", "b1").want(t, 0, "some_masked", "The batch is still running: 2 of 3 had ended.")
	door.Finish("b1", -1)
	p.run("status").want(t, 0, "b1     completed  3       2          1")
	p.run("status", "--json", "b1").want(t, 0, `"succeeded": 2`)
	p.run("watch", "b1").want(t, 1, "Done: 2 of 3")
	for _, format := range []string{"table", "ndjson"} {
		got := p.run("results", "--status", "failed", "--format", format, "b1")
		got.want(t, 0, "decode_failed")
		if strings.Contains(got.out, "some_masked") {
			t.Errorf("%s: results that succeeded are among them:\n%s", format, got.out)
		}
	}
	p.run("results", "--status", "failed", "--format", "csv", "b1").want(t, 2)
	p.run("retry", "b1").want(t, 0, "Looking, run 2", "1 to come")
	p.run("cancel", "b1").want(t, 0, "Cancelled", "1 cancelled")
	p.run("watch", "b1").want(t, 1, "Cancelled: 2 of 3")
	p.run("delete", "b1").want(t, 2, "--yes")
	p.run("delete", "--yes", "b1").want(t, 0, "3 photos erased, with 9 files.")
	p.run("status", "b1").want(t, 3, "404 not_found", "request r-1")
	p.run("limits").want(t, 0, `"max_items_manifest": 50000`, `"later": true`)
}

func TestSettingsComeFromTheFirstPlaceThatHasThem(t *testing.T) {
	t.Parallel()
	door := openDoor(t, nil)
	p := at(t, door)
	p.environ = nil
	p.run("limits").want(t, 3, "maskfleet configure")

	p.typed = door.URL + "\nmf_wrong\n"
	p.run("configure").want(t, 3, "unauthenticated")
	p.typed = door.URL + "\n" + clienttest.Key + "\n"
	got := p.run("configure")
	got.want(t, 0, "They work.")
	if strings.Contains(got.out+got.err, clienttest.Key) {
		t.Errorf("it shows the key:\n%s", got.err)
	}
	path := filepath.Join(p.home, "config", "maskfleet", "config.json")
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("%v, %v", info, err)
	}
	p.run("limits").want(t, 0)

	p.typed = "\n" + clienttest.Key + "\n" // the address as it is
	p.run("configure").want(t, 0)

	p.environ = map[string]string{"MASKFLEET_KEY": "mf_wrong"}
	p.run("limits").want(t, 3, "unauthenticated")
	keyFile := filepath.Join(p.home, "key")
	if err := os.WriteFile(keyFile, []byte(clienttest.Key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run("limits", "--key-file", keyFile).want(t, 0)
	p.run("limits", "--key-file", keyFile, "--url", "nowhere").want(t, 3, "is not like https://")
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	door := openDoor(t, nil)
	p := at(t, door)
	p.run("submit", album(t, 1)).want(t, 0)
	p.run("__complete", "watch", "").want(t, 0, "b1\tLooking")
	p.run("__complete", "submit", "--format", "").want(t, 0, "table\ncsv\nndjson")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		p.run("completion", shell).want(t, 0, "maskfleet")
	}
	p.environ = nil
	if got := p.run("__complete", "watch", ""); strings.Contains(got.out, "b1") || got.exit != 0 {
		t.Errorf("without settings: %+v", got)
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	t.Parallel()
	p := at(t, openDoor(t, nil))
	for _, name := range []string{"submit", "status", "watch", "results", "cancel", "retry", "delete", "limits", "configure", "load"} {
		p.run("help", name).want(t, 0, "Usage:\n  maskfleet "+name)
	}
	p.run("nonsense").want(t, 2, "unknown command")
}

func TestLoad(t *testing.T) {
	t.Parallel()
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("username") != "rig" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"success": true}`))
	}))
	defer door.Close()
	p := at(t, openDoor(t, nil))
	p.environ = nil // it needs none
	folder := album(t, 2)
	p.run("load", door.URL, "rig", "secret", "100", folder, "20").want(t, 0, "SENT/S", "status 200: 20")
	p.run("load", door.URL, "rog", "secret", folder, "--phases", "100ms@100,100ms@50-150").want(t, 0, "100ms@50-150", "all", "status 401: 20")
	p.run("load", door.URL, "rig", "secret", "100", folder, "2", "--json").want(t, 0, `"sent": 2`)
	door.Close()
	p.run("load", door.URL, "rig", "secret", "100", folder, "2").want(t, 1, "no answer: connection refused: 2")
	for _, wrong := range [][]string{
		{"load", door.URL, "rig", "secret"},
		{"load", door.URL, "rig", "secret", "0", folder, "20"},
		{"load", door.URL, "rig", "secret", "NaN", folder, "20"},
		{"load", door.URL, "rig", "secret", "5", folder, "-1"},
		{"load", door.URL, "rig", "secret", folder, "--phases", "5"},
	} {
		p.run(wrong...).want(t, 2)
	}
}
