package statefile

import "testing"

func TestParseJSON(t *testing.T) {
	for text, good := range map[string]bool{
		`{"n": 7}`:                true,
		" \n{\"n\": 7}\r\n\t ":    true,
		``:                        false,
		`{"n": 7`:                 false,
		`{"n": "7"}`:              false,
		`{"n": 7, "more": 1}`:     false,
		`{"n": 7}{"n": 8}`:        false,
		`{"n": 7} null`:           false,
		`{"n": 7}}`:               false,
		`{"n": 7}noise`:           false,
		"{\"n\": 7}\x00":          false,
		"{\"n\": 7}\n\xff\x1b[2J": false,
	} {
		var doc struct {
			N int `json:"n"`
		}
		if err := ParseJSON([]byte(text), &doc); good != (err == nil) || good && doc.N != 7 {
			t.Errorf("%q: %v, %v; want it taken: %t", text, doc, err, good)
		}
	}
}
