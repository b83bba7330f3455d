package hostcheck

import (
	"errors"
	"io/fs"
)

// logs says what becomes of a log. There is nothing secret in it; it is advice.
func logs(e *examination) (found []Finding, _ error) {
	const has = "the relay's log has events and numbers, and no identity, address or payload"
	for _, mark := range []string{"run/.containerenv", ".dockerenv"} {
		if _, err := fs.Stat(e.Root, mark); err == nil {
			return one(Advice, "this is a container: what is printed is kept as its engine's log driver says, which can't be seen from inside; "+has,
				"start it with --log-driver=none, or with a limit of the size, as in deploy/container"), nil
		}
	}
	if _, err := fs.Stat(e.Root, "var/log"); err != nil {
		return nil, unreadable(err)
	}
	_, err := fs.Stat(e.Root, "var/log/journal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(err)
	}
	return one(Advice, "the journal is on disk and outlives restarts; "+has,
		"nothing, or Storage=volatile in /etc/systemd/journald.conf"), nil
}
