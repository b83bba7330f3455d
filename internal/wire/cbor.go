package wire

import "github.com/fxamacker/cbor/v2"

// Limits of a body, part of the specification.
const (
	maxEntries = 16 // in one map or array; the least that the decoder can be set to
	maxNesting = 4  // levels, counting the body itself
)

// Major types (RFC 8949, section 3.1), the upper three bits of an item.
const (
	majorUint  = 0
	majorBytes = 2
	majorText  = 3
	majorMap   = 5
)

// The two modes hold no state and are safe for concurrent use.
var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		UTF8:             cbor.UTF8RejectInvalid,
		MaxArrayElements: maxEntries,
		MaxMapPairs:      maxEntries,
		MaxNestedLevels:  maxNesting,
	}.DecMode())
)

// must is for options that are constant: they are right or no test passes.
func must[M any](mode M, err error) M {
	if err != nil {
		panic(err)
	}
	return mode
}

func major(item []byte) byte { return item[0] >> 5 }
