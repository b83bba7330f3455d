package cli

// UsageError is wrong usage that a command finds when it looks at its flags. It
// has exit code 2, as what cobra finds.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

func (e *UsageError) Unwrap() error { return e.Err }
