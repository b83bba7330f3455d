package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/retention/drive"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
)

type auditFlags struct {
	quick            bool
	gigabytes        float64
	sessions         int
	lockdown         string
	relay            string
	pid              int
	url, admin, unit string
	json, text, png  string
}

func auditCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Look for what a relay keeps of what it carries",
		Long: `Start the real relay, or take one that runs (--pid, --url, --admin), load it, open and
close sessions in every way, and look for their payload everywhere while and after
they live. The report says what was looked for, what was found, and what was not checked.

Exit codes: 0 PASS, 1 FAIL, 2 wrong usage, 3 INVALID, or no audit at all: it proves nothing.`,
		Example: `  go run ./bench/retention audit --json result.json --png result.png
  go run ./bench/retention audit --quick
  go run ./bench/retention audit --pid 4711 --url "$(lethe-relay url --config relay.yaml)" --admin /etc/lethe/admin.sock`,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return usage(f.validate()) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	whole := drive.Whole()
	flags := cmd.Flags()
	flags.BoolVar(&f.quick, "quick", false, "a small one of some seconds, without the ways and looks that take long")
	flags.Float64Var(&f.gigabytes, "gigabytes", whole.Gigabytes, "to relay and check, at least")
	flags.IntVar(&f.sessions, "sessions", whole.Sessions, "to open and close in each way")
	flags.StringVar(&f.lockdown, "lockdown", "require", "of the relay that is started: require, prefer or off")
	flags.StringVar(&f.relay, "relay", "", "program of the relay; it is built if none is given")
	flags.IntVar(&f.pid, "pid", 0, "process of a relay that runs; no others must be using it")
	flags.StringVar(&f.url, "url", "", "its URL with the enrolment token, and an IP address as host")
	flags.StringVar(&f.admin, "admin", "", "its admin listener: the path of a unix socket, or HOST:PORT")
	flags.StringVar(&f.unit, "unit", "", "its systemd unit, whose journal is looked through")
	flags.StringVar(&f.json, "json", "", "file to write the report to, as JSON")
	flags.StringVar(&f.text, "text", "", "file to write the report to, as text")
	flags.StringVar(&f.png, "png", "", "file to write the picture to")
	cmd.MarkFlagsRequiredTogether("pid", "url", "admin")
	cmd.MarkFlagsMutuallyExclusive("pid", "relay")
	return cmd
}

func (f *auditFlags) validate() error {
	switch {
	case f.gigabytes <= 0 || f.gigabytes > 10_000:
		return errors.New("--gigabytes must be more than 0, and 10000 at most")
	case f.sessions < 2 || f.sessions > 1000:
		return errors.New("--sessions must be between 2 and 1000: half of them have tunnels")
	case f.lockdown != "require" && f.lockdown != "prefer" && f.lockdown != "off":
		return errors.New("--lockdown must be require, prefer or off")
	case f.url != "" && f.pid <= 0:
		return errors.New("--pid must be the number of the relay's process")
	}
	return writable(f.json, f.text, f.png)
}

func (f *auditFlags) run(cmd *cobra.Command) error {
	opt, err := f.options(cmd)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("an audit needs root: it reads another process's memory, and watches file systems and networks")
	}
	dir, err := os.MkdirTemp("", "lethe-retention-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if f.pid == 0 {
		if err := f.prepare(cmd, dir, &opt); err != nil {
			return err
		}
	}
	report, err := drive.Audit(cmd.Context(), opt)
	if err != nil {
		return err
	}
	return f.write(cmd, report)
}

// options are the flags as package drive wants them.
func (f *auditFlags) options(cmd *cobra.Command) (drive.Options, error) {
	opt := drive.Whole()
	if f.quick {
		opt = drive.Quick()
	}
	if !f.quick || cmd.Flags().Changed("gigabytes") {
		opt.Gigabytes = f.gigabytes
	}
	if !f.quick || cmd.Flags().Changed("sessions") {
		opt.Sessions = f.sessions
	}
	opt.Progress = func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) }
	opt.Flags = shown(os.Args[1:])
	opt.Unit = f.unit
	if err := opt.Pin(); err != nil {
		return opt, err
	}
	if f.pid == 0 {
		return opt, nil
	}
	url, err := auth.ParseRelayURL(f.url)
	if err != nil {
		return opt, usage(fmt.Errorf("--url: %w", err))
	}
	addr, err := netip.ParseAddrPort(url.Host)
	if err != nil {
		return opt, usage(errors.New("--url must have an IP address as its host: the auditor's endpoints don't look up names"))
	}
	opt.Attach = &drive.Relay{PID: f.pid, URL: f.url, Addr: addr, Admin: drive.Admin{Addr: f.admin}}
	if strings.Contains(f.admin, "/") {
		opt.Attach.Admin = drive.Admin{Socket: f.admin}
	}
	return opt, nil
}

// shown are the arguments without what is secret or a place on this machine.
func shown(args []string) (out []string) {
	hide := false
	for _, arg := range args {
		name, _, joined := strings.Cut(arg, "=")
		switch {
		case hide:
			arg, hide = "…", false
		case name == "--url" || name == "--relay" || name == "--admin" || name == "--json" || name == "--text" || name == "--png":
			if hide = !joined; joined {
				arg = name + "=…"
			}
		}
		out = append(out, arg)
	}
	return out
}

// prepare builds the relay, if none is given, and says how to start it.
func (f *auditFlags) prepare(cmd *cobra.Command, dir string, opt *drive.Options) (err error) {
	opt.Launch.Binary, opt.Launch.Lockdown = f.relay, f.lockdown
	if f.relay == "" {
		opt.Progress("building the relay")
		if opt.Launch.Binary, err = build(cmd, dir); err != nil {
			return err
		}
	}
	opt.Launch.Dir, err = os.MkdirTemp(dir, "relay-")
	return err
}

// write prints the report, and writes it where it is wanted.
func (f *auditFlags) write(cmd *cobra.Command, r *verdict.Report) error {
	if err := r.WriteText(cmd.OutOrStdout()); err != nil {
		return err
	}
	for _, out := range []struct {
		path  string
		write func(io.Writer) error
	}{{f.text, r.WriteText}, {f.png, r.WritePNG}, {f.json, func(w io.Writer) error { return writeJSON(w, r) }}} {
		if out.path == "" {
			continue
		}
		if err := writeFile(out.path, out.write); err != nil {
			return err
		}
	}
	return outcome(r.Verdict)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writable tells before the work begins whether files could be written after
// it. It changes none, and leaves none behind. Empty paths are left out.
func writable(paths ...string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		_, missing := os.Stat(path)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return fmt.Errorf("the result could not be written: %w", err)
		}
		f.Close()
		if errors.Is(missing, os.ErrNotExist) {
			os.Remove(path)
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
