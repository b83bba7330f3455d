package geoip

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Config is the key geoip of relay.yaml: paths of MaxMind files. Either may be empty.
type Config struct {
	ASN     string `yaml:"asn"`     // such as GeoLite2-ASN.mmdb
	Country string `yaml:"country"` // such as GeoLite2-Country.mmdb; one of cities will do
}

// DB is what the files say. It is safe for concurrent use; a nil *DB knows nothing.
type DB struct {
	asn, country *maxminddb.Reader // nil without a file
}

// Open reads the files that cfg names.
func Open(cfg Config) (*DB, error) {
	asn, err := open(cfg.ASN, "asn", "ASN", "ISP", "Enterprise")
	if err != nil {
		return nil, err
	}
	country, err := open(cfg.Country, "country", "Country", "City", "Enterprise")
	if err != nil {
		return nil, err
	}
	return &DB{asn, country}, nil
}

// open reads one file, which must be of one of these types; nil without a path.
func open(path, key string, types ...string) (*maxminddb.Reader, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the MaxMind file that geoip.%s names: %w", key, err)
	}
	r, err := parse(data, types)
	if err != nil {
		return nil, fmt.Errorf("%s, which geoip.%s names: %w", path, key, err)
	}
	return r, nil
}

// parse checks a file's content as a whole, since what is damaged in the middle
// would show with some addresses only.
func parse(data []byte, types []string) (*maxminddb.Reader, error) {
	r, err := maxminddb.OpenBytes(data)
	if err == nil {
		err = r.Verify()
	}
	if err != nil {
		return nil, fmt.Errorf("it is damaged, or no MaxMind file (%w): download it again", err)
	}
	is := r.Metadata.DatabaseType
	if !slices.ContainsFunc(types, func(t string) bool { return strings.Contains(is, t) }) {
		return nil, fmt.Errorf("it is a file of the type %q: take one whose type has %s in it", is, strings.Join(types, " or "))
	}
	return r, nil
}

// Lookup returns the number of the network that addr belongs to, and the two
// letters of its country (ISO 3166-1). What is unknown is 0 or empty.
func (db *DB) Lookup(addr netip.Addr) (asn uint32, country string) {
	if db == nil || !addr.IsValid() {
		return 0, ""
	}
	addr = addr.Unmap()
	asn = find[uint32](db.asn, addr, "autonomous_system_number")
	country = find[string](db.country, addr, "country", "iso_code")
	if len(country) != 2 {
		country = ""
	}
	return asn, country
}

// find reads a part of addr's record. An error is as good as no such part: the
// file has something else there, or addr is of IPv6 and the file is not.
func find[T any](r *maxminddb.Reader, addr netip.Addr, path ...any) (found T) {
	if r != nil {
		_ = r.Lookup(addr).DecodePath(&found, path...)
	}
	return found
}
