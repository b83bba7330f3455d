// Package conf reads the YAML configuration files of relay and agent, strictly.
//
// [Parse] fills a struct that already holds the defaults. Whatever it does not understand is an
// error, and the first one in the file is the only one reported:
//
//	agent.yaml:4:5: services[1].taget: unknown key; did you mean "target"?
//	   4 |     taget: tcp:127.0.0.1:22
//	     |     ^^^^^
//
// # What a file may hold
//
// One YAML document in UTF-8, at most [MaxSize] bytes. No anchors, aliases, merge keys and tags:
// a reader sees each value where it is used, and a small file stays small once read. A key with no
// value is an error, because it is more often a slip than a wish.
//
// # What a struct may hold
//
//   - structs, slices, strings, booleans and integers of any size;
//   - types with UnmarshalText, which take any single value: [Duration], [Bytes], [BitRate],
//     [net/netip.AddrPort], [log/slog.Level] and the program's own;
//   - no value is converted: a number is not text, and text is not a number.
//
// A key is the field's `yaml` tag, or the field's name in lower case without one. Fields that
// are not exported, or tagged `yaml:"-"`, are no keys.
//
// # Checks of a type's own
//
// An error from UnmarshalText is reported with its place. A type with a method Validate() error
// is asked after its part of the file was read, innermost first, the whole last; an error from
// [KeyErrorf] is placed at the key that it names. Parts that the file does not mention are not
// asked: their parent is.
//
// # Secrets
//
// A field tagged `conf:"secret"` never has its value shown. In a struct that has such a field
// anywhere, an error shows the word it points at and nothing else of the line, because a
// mistyped key may stand before a secret. The UnmarshalText and Validate of a secret must not quote it.
package conf
