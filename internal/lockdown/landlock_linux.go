package lockdown

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

const (
	portsABI  = 4 // the first ABI that knows TCP ports
	scopesABI = 6 // signals and abstract sockets
	quietABI  = 7 // denials need not be logged

	signalsFixed = 1 << 1 // erratum: scoped signals between threads of one process
	dnsPort      = 53
)

// landlockABI is the highest Landlock ABI that both the kernel and this program know.
func landlockABI() (int, error) {
	abi, err := ll.LandlockGetABIVersion()
	switch {
	case errors.Is(err, unix.ENOSYS):
		return 0, fmt.Errorf("this kernel has no Landlock (%w): use Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK", err)
	case errors.Is(err, unix.EOPNOTSUPP):
		return 0, fmt.Errorf("this kernel has Landlock switched off (%w): put landlock into the list of the boot parameter lsm=", err)
	case err != nil:
		return 0, fmt.Errorf("the kernel does not let this process ask for Landlock (%w): if systemd or a container filters system calls, let the landlock calls (systemd: @sandbox) through", err)
	case abi < 1:
		return 0, fmt.Errorf("the kernel answers with Landlock ABI %d, which does not exist: use another kernel", abi)
	}
	if errata, err := ll.LandlockGetErrata(); abi >= scopesABI && (err != nil || errata&signalsFixed == 0) {
		abi = scopesABI - 1
	}
	return min(abi, len(landlockConfigs())), nil
}

// landlockConfigs are all ABIs, from 1. No more than the kernel has is ever asked for, and all of it
// is: a kernel that does not do what it says is an error.
func landlockConfigs() []landlock.Config {
	return []landlock.Config{landlock.V1, landlock.V2, landlock.V3, landlock.V4, landlock.V5, landlock.V6,
		landlock.V7, landlock.V8, landlock.V9, landlock.V10, landlock.V11}
}

// landlockConfig is everything that an ABI can deny, except UDP: ABI 10 would stop the relay's own sockets from
// sending to addresses that it can't know before.
func landlockConfig(abi int) landlock.Config {
	c := landlockConfigs()[abi-1]
	c.HandledAccessNet &= ll.AccessNetBindTCP | ll.AccessNetConnectTCP
	if abi >= quietABI {
		c = c.DisableLoggingForOriginatingProcess() // or each self-test would be in the audit log
	}
	return c
}

// landlockRules permit what is needed: reading, without executing, and connecting.
func landlockRules(abi int, needs Needs) (rules []landlock.Rule, err error) {
	for _, dir := range needs.ReadDirs {
		if filepath.Clean(dir) == "/" {
			return nil, errors.New("the process wants to read all files, which leaves Landlock nothing to do: name directories below /")
		}
		rules = append(rules, landlock.PathAccess(ll.AccessFSReadFile|ll.AccessFSReadDir, dir))
	}
	for _, file := range needs.ReadFiles {
		rules = append(rules, landlock.PathAccess(ll.AccessFSReadFile, file))
	}
	if !needs.network() {
		return rules, nil
	}
	for _, path := range resolverFiles() {
		rules = append(rules, landlock.PathAccess(ll.AccessFSReadFile, path))
	}
	if abi >= portsABI {
		for _, port := range slices.Concat(needs.ConnectPorts, []uint16{dnsPort}) {
			rules = append(rules, landlock.ConnectTCP(port))
		}
	}
	return rules, nil
}

// resolverFiles are where Go's resolver looks, as far as they are there. Directories stand for files that are
// replaced by renaming, as resolv.conf is.
func resolverFiles() (paths []string) {
	candidates := []string{"/etc"}
	if real, err := filepath.EvalSymlinks("/etc/resolv.conf"); err == nil {
		candidates = append(candidates, filepath.Dir(real))
	}
	for _, path := range candidates {
		if _, err := os.Stat(path); err == nil && path != "/" {
			paths = append(paths, path)
		}
	}
	return paths
}

// putLandlock denies every thread whatever the kernel can deny by name or port, and sees that it does: seccomp,
// which follows, would answer in its place.
func putLandlock(l *Lockdown) error {
	abi, err := landlockABI()
	if err != nil {
		return err
	}
	rules, err := landlockRules(abi, l.needs)
	if err != nil {
		return err
	}
	if err := l.fixture.chooseProbe(l.needs); err != nil {
		return err
	}
	if err := landlockConfig(abi).Restrict(rules...); err != nil {
		return fmt.Errorf("the kernel does not put Landlock (ABI %d) in force: %w: see that the files and directories that the relay is to read are there", abi, err)
	}
	l.fixture.abi = abi
	_, err = judge(l.fixture, atEntry(abi))
	return err
}

// atEntry is what Landlock must refuse while seccomp does not.
func atEntry(abi int) []attempt {
	byLandlock := []unix.Errno{unix.EACCES}
	attempts := []attempt{
		{"open a directory", byLandlock, openDirectory},
		{"open a file for writing", byLandlock, openForWriting},
		{"create a file", append(byLandlock, unix.EROFS), createFile}, // the whole file system may be read-only
	}
	if abi >= portsABI {
		attempts = append(attempts,
			attempt{"bind a TCP port", byLandlock, bindTCP},
			attempt{"connect over TCP", byLandlock, connectTCP})
	}
	return attempts
}

// verifyLandlock tries the one thing that seccomp leaves to Landlock.
func verifyLandlock(l *Lockdown) (string, error) {
	attempts := atEntry(l.fixture.abi)[:1]
	if l.needs.network() && l.fixture.abi >= portsABI {
		attempts = append(attempts, attempt{"connect over TCP to a port that is not needed", []unix.Errno{unix.EACCES}, connectTCP})
	}
	how, err := judge(l.fixture, attempts)
	if err != nil {
		return "", err
	}
	var names []string
	for _, a := range atEntry(l.fixture.abi)[1:] {
		names = append(names, a.name)
	}
	return fmt.Sprintf("ABI %d: %s; so were, before seccomp stood in front: %s%s", l.fixture.abi, how, strings.Join(names, ", "), l.portsNote()), nil
}

// portsNote says what Landlock can't do about connections out.
func (l *Lockdown) portsNote() string {
	switch {
	case !l.needs.network():
		return ""
	case l.fixture.abi < portsABI:
		return "; connections out are possible to every port, since this kernel's Landlock knows no ports (Linux 6.7 does)"
	default:
		return "; connections out are possible to the TCP ports that are needed, and UDP to every port"
	}
}
