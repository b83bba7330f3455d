package hostcheck

import (
	"fmt"
	"path"
	"strings"
)

// sysctlMend is how the settings of the kernel are mended.
const sysctlMend = "install deploy/sysctl.d/60-lethe.conf and run sysctl --system"

// corePattern says where core dumps go. A relay that is locked down is not
// dumpable; this is the second line, and the only one for everything else that
// has held payload.
func corePattern(e *examination) ([]Finding, error) {
	pattern, err := e.readIn("proc/sys/kernel", "core_pattern")
	if err != nil || pattern == "" {
		return nil, err
	}
	handler, piped := strings.CutPrefix(pattern, "|")
	if !piped {
		return one(Advice, fmt.Sprintf("core dumps are written to files (%q); only the relay's own limits keep it out of them", pattern), sysctlMend), nil
	}
	program, _, _ := strings.Cut(strings.TrimSpace(handler), " ")
	if base := path.Base(program); base == "false" || base == "true" { // they read nothing
		return nil, nil
	}
	return one(Bad, fmt.Sprintf("core dumps go to a program (%s), which gets them whatever the core limit: only that the relay is not dumpable keeps it out of them", program), sysctlMend), nil
}

func suidDumpable(e *examination) ([]Finding, error) {
	value, err := e.read("proc/sys/fs/suid_dumpable")
	switch {
	case err != nil || value == "0":
		return nil, err
	case value == "2":
		return one(Advice, "programs that have changed their rights are dumped too, readable for root (fs.suid_dumpable is 2)", sysctlMend), nil
	}
	return one(Bad, fmt.Sprintf("programs that have changed their rights are dumped too, readable for their user (fs.suid_dumpable is %s)", value), sysctlMend), nil
}

// crashKernel is kdump: when the kernel crashes, another one saves all memory.
func crashKernel(e *examination) ([]Finding, error) {
	const mend = "stop kdump (systemctl disable --now kdump kdump-tools), and take crashkernel= off the kernel's command line"
	loaded, err := e.readIn("sys/kernel", "kexec_crash_loaded")
	if err != nil {
		return nil, err
	}
	if loaded == "1" {
		return one(Bad, "a crash kernel is loaded (kdump): when this kernel crashes, all memory is written to a disk", mend), nil
	}
	size, reserved, err := e.booted("crashkernel")
	if err != nil || !reserved {
		return nil, err
	}
	return one(Advice, fmt.Sprintf("memory is reserved for a crash kernel (crashkernel=%s), though none is loaded now", size), mend), nil
}
