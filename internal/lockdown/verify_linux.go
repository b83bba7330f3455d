package lockdown

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// A check tells whether a control is in force.
type check struct {
	verify func(*Lockdown) (how string, err error)
	mend   string // what to do when it isn't and the error does not say
}

const (
	byMain      = "have the program call Environment when it starts"
	mendSeccomp = "if systemd or a container filters system calls, let seccomp and prctl through, and have it answer with an errno (systemd: SystemCallErrorNumber=EPERM)"
)

func checks() map[string]check {
	return map[string]check{
		NoNewPrivileges:      {verifyNoNewPrivileges, mendSeccomp},
		Landlock:             {verifyLandlock, "use Linux 5.13 or newer, with landlock in the list of the boot parameter lsm="},
		Seccomp:              {verifySeccomp, mendSeccomp},
		FileSizeZero:         {verifyFileSize, "pipe stdout and stderr, or use the journal, and let prlimit64 through if system calls are filtered"},
		CoreSizeZero:         {verifyCoreSize, "let prlimit64 through if system calls are filtered"},
		NotDumpable:          {verifyNotDumpable, "let prctl through if system calls are filtered"},
		MemoryLocked:         {verifyMemoryLocked, "run with LimitMEMLOCK=infinity (systemd) or --ulimit memlock=-1 (containers) to have all memory locked"},
		CapabilitiesDropped:  {verifyCapabilities, "let capset and prctl through if system calls are filtered"},
		TracebackNone:        {verifyTraceback, byMain},
		FreedMemoryClobbered: {verifyClobbered, byMain},
	}
}

// verify tries one control. One that could not be put in force isn't tried: that would do what it was to stop.
func (l *Lockdown) verify(name string) Control {
	check := checks()[name]
	if l.fixture == nil {
		return Control{Name: name, How: "not put in force by the relay: lockdown is off", Mend: `set "lockdown: require" in relay.yaml`}
	}
	if err := l.missing[name]; err != nil {
		return Control{Name: name, How: err.Error(), Mend: check.mend}
	}
	how, err := check.verify(l)
	if err != nil {
		return Control{Name: name, How: err.Error(), Mend: check.mend}
	}
	return Control{Name: name, InForce: true, How: how}
}

func verifyNoNewPrivileges(*Lockdown) (string, error) {
	return prctlSays("PR_GET_NO_NEW_PRIVS", unix.PR_GET_NO_NEW_PRIVS, 1)
}

// prctlSays asks the kernel for a property of the process.
func prctlSays(name string, option, want int) (string, error) {
	got, err := unix.PrctlRetInt(option, 0, 0, 0, 0)
	if err != nil {
		return "", fmt.Errorf("the kernel does not answer %s: %w", name, err)
	}
	if got != want {
		return "", fmt.Errorf("the kernel says %d to %s, and %d would be right", got, name, want)
	}
	return fmt.Sprintf("the kernel says %d to %s", got, name), nil
}

func verifySeccomp(l *Lockdown) (string, error) {
	attempts := bySeccomp()
	if !l.needs.network() {
		attempts = append(attempts, bySeccompOffline()...)
	}
	how, err := judge(l.fixture, attempts)
	if err != nil {
		return "", err
	}
	says, err := prctlSays("PR_GET_SECCOMP", unix.PR_GET_SECCOMP, unix.SECCOMP_MODE_FILTER)
	return how + "; " + says, err
}

func verifyFileSize(l *Lockdown) (string, error) {
	how, err := judge(l.fixture, []attempt{{"write to a file opened before", []unix.Errno{unix.EFBIG}, write}})
	if err != nil {
		return "", err
	}
	limit, err := verifyLimit(unix.RLIMIT_FSIZE)
	return how + "; " + limit, err
}

func verifyCoreSize(*Lockdown) (string, error) { return verifyLimit(unix.RLIMIT_CORE) }

func verifyLimit(resource int) (string, error) {
	var limit unix.Rlimit
	if err := unix.Prlimit(0, resource, nil, &limit); err != nil {
		return "", fmt.Errorf("the limit can't be read: %w", err)
	}
	if limit != (unix.Rlimit{}) {
		return "", fmt.Errorf("the limit is %d, and could be raised to %d", limit.Cur, limit.Max)
	}
	return "the limit is 0, and so is what it could be raised to", nil
}

func verifyNotDumpable(*Lockdown) (string, error) {
	return prctlSays("PR_GET_DUMPABLE", unix.PR_GET_DUMPABLE, 0)
}

// verifyMemoryLocked sees whether fresh memory is locked: the kernel does not forget the content of a locked page.
func verifyMemoryLocked(l *Lockdown) (string, error) {
	how, err := judge(l.fixture, []attempt{{"have the kernel drop a page of fresh memory", []unix.Errno{unix.EINVAL}, dropPage}})
	if err != nil {
		return "", err
	}
	return how + ", which is what locked memory gives", nil
}

func dropPage(*fixture) error {
	return withPage(func(page []byte) error { return unix.Madvise(page, unix.MADV_DONTNEED) })
}

func verifyCapabilities(*Lockdown) (string, error) {
	set := cap.GetProc()
	if differs, err := set.Cf(cap.NewSet()); err != nil || differs != 0 {
		return "", fmt.Errorf("the kernel says that the process has %q", set)
	}
	bounding := "empty"
	for value := range cap.MaxBits() {
		if has, err := cap.GetAmbient(value); err != nil || has {
			return "", fmt.Errorf("the kernel does not say that %v has left the ambient set", value)
		}
		if has, err := cap.GetBound(value); err != nil || has {
			bounding = "not empty, and of no use without new privileges"
		}
	}
	return "the kernel says that the effective, permitted, inheritable and ambient sets are empty; the bounding set is " + bounding, nil
}

func verifyTraceback(*Lockdown) (string, error) { return verifyVariable(traceback, "none") }

// verifyClobbered says what was tried at entry: it takes a collection, which is too dear for any time.
func verifyClobbered(*Lockdown) (string, error) {
	how, err := verifyVariable(godebug, clobberFree)
	return how + ", and before the lockdown memory was freed and seen to be overwritten", err
}

// verifyVariable reads what the Go runtime has read when it started.
func verifyVariable(name, setting string) (string, error) {
	value := os.Getenv(name)
	if !slices.Contains(strings.Split(value, ","), setting) {
		return "", fmt.Errorf("the Go runtime was started with %s=%q, which lacks %s", name, value, setting)
	}
	return fmt.Sprintf("the Go runtime was started with %s=%s", name, value), nil
}
