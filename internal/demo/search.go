package demo

import (
	"bytes"
	"net"
	"sync/atomic"
)

// search counts how often what must stay secret occurs in what it is shown.
type search struct {
	secrets [][]byte // static

	bytes atomic.Uint64 // searched
	found atomic.Uint64
}

// look searches b. It may be called from any goroutine.
func (s *search) look(b []byte) {
	s.bytes.Add(uint64(len(b)))
	for _, secret := range s.secrets {
		if n := bytes.Count(b, secret); n > 0 {
			s.found.Add(uint64(n))
		}
	}
}

// searchedListener has the search look at all that is written to its connections.
type searchedListener struct {
	net.Listener
	search *search
}

// Accept implements [net.Listener].
func (l searchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return searchedConn{conn, l.search}, nil
}

type searchedConn struct {
	net.Conn
	search *search
}

// Write implements [net.Conn].
func (c searchedConn) Write(b []byte) (int, error) {
	c.search.look(b)
	return c.Conn.Write(b)
}
