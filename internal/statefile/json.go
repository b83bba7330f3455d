package statefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// ParseJSON decodes the content of a file, which is one JSON value, into *into. It is strict: a member that
// *into has no field for, or anything but white space behind the value, is an error. The
// caller knows the file, and what to do about it. After an error *into is filled in part: do not use it.
func ParseJSON(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something stands behind the end of the JSON value") // not quoted: it may be a secret
	}
	return nil
}
