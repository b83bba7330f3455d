package lockdown

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// A step puts one control in force.
type step struct {
	control string
	put     func(*Lockdown) error
}

// steps are in the order in which they must be taken; doc.go says why.
func steps() []step {
	return []step{
		{NoNewPrivileges, putNoNewPrivileges},
		{MemoryLocked, lockMemory},
		{FileSizeZero, limitFileSize},
		{CoreSizeZero, limitCoreSize},
		{CapabilitiesDropped, dropCapabilities},
		{NotDumpable, putNotDumpable},
		{Landlock, putLandlock},
		{Seccomp, putSeccomp},
	}
}

// enter takes the steps, then sees what they have brought.
func enter(mode Mode, needs Needs, steps []step) (*Lockdown, error) {
	fixture, err := newFixture()
	if err != nil {
		return nil, err
	}
	l := &Lockdown{mode: mode, needs: needs, fixture: fixture, missing: make(map[string]error)}
	if err := tryClobbering(); err != nil {
		l.missing[FreedMemoryClobbered] = err
	}
	loadLate(needs)
	for _, s := range steps {
		if err := s.put(l); err != nil {
			l.missing[s.control] = err
		}
	}
	if mode != Require {
		return l, nil
	}
	if err := l.complete(); err != nil {
		fixture.close()
		return nil, err
	}
	return l, nil
}

// loadLate has the standard library read what it would otherwise read when it is first needed: the time zone, for
// log lines, and the root certificates, for connections out.
func loadLate(needs Needs) {
	_ = time.Now().Local().String()
	if needs.network() {
		_, _ = x509.SystemCertPool() // without roots, connections fail by themselves and say why
	}
}

// complete is an error that names what is missing. Locking all memory takes rights that a service need not have:
// without it the packet buffers, which lock themselves, are what is locked.
func (l *Lockdown) complete() error {
	var missing []error
	for _, c := range l.Verify() {
		if !c.InForce && c.Name != MemoryLocked {
			missing = append(missing, fmt.Errorf("%s is not in force: %s; %s", c.Name, c.How, c.Mend))
		}
	}
	return errors.Join(missing...)
}

func putNoNewPrivileges(*Lockdown) error {
	_, _, errno := psx.Syscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	return orNil(errno)
}

// orNil is errno as an error: a zero errno is none, but would make an error that is not nil.
func orNil(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// lockMemory locks what the process has and will have, as far as it is touched. Mappings to come count against
// RLIMIT_MEMLOCK, however little of them is touched, and the heap could not grow: so there must be no limit.
func lockMemory(*Lockdown) error {
	unlimited := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &unlimited, nil); err != nil {
		return errors.New("packet buffers only: RLIMIT_MEMLOCK is finite and this user may not raise it")
	}
	return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}

// limitFileSize makes every write to a regular file fail, whenever the file was opened. The signal that comes with it
// would end the process.
func limitFileSize(*Lockdown) error {
	if err := stdoutFits(); err != nil {
		return err
	}
	signal.Ignore(unix.SIGXFSZ)
	return unix.Prlimit(0, unix.RLIMIT_FSIZE, &unix.Rlimit{}, nil)
}

func limitCoreSize(*Lockdown) error {
	return unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
}

// dropCapabilities empties every set that this user may empty. Only who has CAP_SETPCAP can empty the bounding
// set, which without new privileges bounds nothing any more.
func dropCapabilities(*Lockdown) error {
	if may, err := cap.GetProc().GetFlag(cap.Effective, cap.SETPCAP); err == nil && may {
		for value := range cap.MaxBits() {
			if err := cap.DropBound(value); err != nil {
				return err
			}
		}
	}
	return errors.Join(cap.ResetAmbient(), cap.NewSet().SetProc())
}

func putNotDumpable(*Lockdown) error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

func putSeccomp(l *Lockdown) error {
	info, err := callTable()
	if err != nil {
		return err
	}
	return load(assemble(info, calls(l.needs, os.Getpid())))
}
