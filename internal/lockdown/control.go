package lockdown

// Names of the controls. They are metric labels and stay as they are.
const (
	NoNewPrivileges      = "no_new_privileges"
	Landlock             = "landlock"
	Seccomp              = "seccomp"
	FileSizeZero         = "file_size_zero"
	CoreSizeZero         = "core_size_zero"
	NotDumpable          = "not_dumpable"
	MemoryLocked         = "memory_locked"
	CapabilitiesDropped  = "capabilities_dropped"
	TracebackNone        = "traceback_none"
	FreedMemoryClobbered = "freed_memory_clobbered"
)

// Names lists the controls in the order of Verify's answer.
func Names() []string {
	return []string{NoNewPrivileges, Landlock, Seccomp, FileSizeZero, CoreSizeZero, NotDumpable,
		MemoryLocked, CapabilitiesDropped, TracebackNone, FreedMemoryClobbered}
}

// A Control is one thing that holds the process, and whether it does.
type Control struct {
	Name    string `json:"name"`
	InForce bool   `json:"in_force"`
	How     string `json:"how"`  // one sentence: what was tried, and what it gave
	Mend    string `json:"mend"` // what to do about it; empty when in force
}

// Needs is what the process must still be able to do when it is locked down. The zero Needs is nothing:
// no file may be opened and nothing connected to.
type Needs struct {
	ReadDirs     []string // read everything below; not "/"
	ReadFiles    []string // read each, as long as it is the same file: not one that is renamed into its place
	ConnectPorts []uint16 // connect to over TCP, and resolve names for
}
