package hostcheck

import (
	"fmt"
	"strconv"
)

// wantedBuffer is what the relay asks for each socket, in bytes.
const wantedBuffer = 8 << 20

func landlock(e *examination) ([]Finding, error) {
	if _, err := e.Kernel.Landlock(); err != nil {
		return one(Bad, fmt.Sprintf("the kernel has no Landlock (%v): a relay with lockdown: require does not start", err),
			"run Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK, and landlock among the names of lsm= on its command line"), nil
	}
	return nil, nil
}

func seccomp(e *examination) ([]Finding, error) {
	if err := e.Kernel.Seccomp(); err != nil {
		return one(Bad, fmt.Sprintf("system calls can't be filtered (%v): a relay with lockdown: require does not start", err),
			"run a kernel with CONFIG_SECCOMP_FILTER, or a container engine that lets seccomp(2) through"), nil
	}
	return nil, nil
}

// lockLimit matters to a relay that is yet to be started from here; a running one
// says by itself what is locked.
func lockLimit(e *examination) ([]Finding, error) {
	if e.state != nil {
		return nil, nil
	}
	bytes, unlimited, err := e.Kernel.LockLimit()
	if err != nil || unlimited {
		return nil, err
	}
	return one(Advice, fmt.Sprintf("this user may lock %d KiB of memory: a relay started by it locks its packet buffers at most, not all it has", bytes>>10),
		"LimitMEMLOCK=infinity, as in deploy/systemd; --ulimit memlock=-1 for a container; ulimit -l unlimited in a shell"), nil
}

func socketBuffers(e *examination) (found []Finding, _ error) {
	for _, name := range []string{"rmem_max", "wmem_max"} {
		text, err := e.read("proc/sys/net/core/" + name)
		if err != nil {
			return found, err
		}
		limit, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return found, fmt.Errorf("/proc/sys/net/core/%s holds no number", name)
		}
		if limit < wantedBuffer {
			found = append(found, Finding{Level: Advice,
				What: fmt.Sprintf("net.core.%s is %d, and the relay asks for %d: without CAP_NET_ADMIN it loses datagrams in bursts", name, limit, wantedBuffer),
				Mend: sysctlMend})
		}
	}
	return found, nil
}

// clock: grants, proofs and ID tokens have times.
func clock(e *examination) ([]Finding, error) {
	synchronised, err := e.Kernel.ClockSynchronised()
	if err != nil || synchronised {
		return nil, err
	}
	return one(Advice, "nobody keeps this machine's clock right: grants are refused when it is two minutes off",
		"run chrony or systemd-timesyncd; for a virtual machine, see that its host does"), nil
}
