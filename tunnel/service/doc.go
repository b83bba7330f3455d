// Package service is what a router offers inside a tunnel.
//
// A device names a service at the head of each stream. The name belongs either to a [Service] of the router's
// configuration, which has a [Target] that the router connects the stream to, or to a built-in that the agent answers
// itself:
//
//	unpair   gives a grant up                          [NameUnpair]
//	manage   who is paired and who is invited          [NameManage]
//	personal what the router holds about the asker     [NamePersonal]
//	forget   has it erased                             [NameForget]
//	status   one JSON document about the router        [NameStatus], [CollectStatus]
//
// A target is written as
//
//	tcp:HOST:PORT    tcp:127.0.0.1:80   tcp:[::1]:22   tcp:printer.lan:631
//	unix:/PATH       unix:/run/admin.sock
//
// # Status
//
// The status document holds facts, each under a key of its own. A fact that the router cannot tell has no key: a
// machine without DHCP leases has no "clients", one whose leases file is empty has an empty list. It is collected when
// it is asked for, from files that are read up to a fixed size, and never stored.
//
//	model           string     OpenWrt's board name, the device tree's, or the mainboard's
//	hostname        string
//	kernel          string     release, as uname -r prints it
//	uptime_seconds  integer
//	load            3 numbers  runnable processes, averaged over 1, 5 and 15 minutes
//	memory          object     total_bytes, available_bytes
//	interfaces      array      name, addresses ("192.168.1.1/24"); without loopback, at most 256
//	clients         array      hostname, ip, mac, expires (absent: never); at most 1024, from the first MiB of the file
//	clients_skipped integer    malformed lines in the leases file
//	clients_cut     bool       there is more in the leases file than is shown
//	services        array      names of the configured services
//	agent_version   string
//	time            string     RFC 3339, UTC, when the document was made
package service
