// Package agent is the router's program: it stays registered with a relay,
// keeps the list of paired devices, judges who may come in, and connects their
// streams to the services that the router offers.
//
// # Its directory
//
//	agent.yaml        relay URL, services, what is demanded of
//	                  devices, retention times                   config.go ecvconfig.go
//	router.key        the router's identity, PKCS#8 PEM
//	devices.json      who is paired, with pairing secrets, what
//	                  was learned; which grants are void         devices.go revocations.go
//	invitations.json  what was shared and not accepted yet,
//	                  with its secrets                           invitations.go
//	pin.json          the PIN, hashed; pin-tries.json            package pin
//	journal.jsonl     decisions, with reasons                    package journal
//	agent.sock        while it runs: our commands ask here       admin.go manage.go
//	lock              one agent at a time
//
// All of it is private to its owner. What decides who may come in is replaced as
// a whole: a disk that is full leaves it as it was, in memory too.
//
// # What it serves
//
// The services of agent.yaml, and five of its own: status, a JSON document about
// the router (tunnel/service); unpair, by which a device takes itself off the
// list; manage, by which owners see the list, take others off it, share and
// approve, and admins share with guests; personal, by which everybody sees what is
// held about his device; forget, by which he has it erased. Every grant has unpair,
// personal and forget, and those of owners and admins have manage.
//
// # Grants
//
// A device has one grant, and for a while two: when what its grant says is out of
// date, it is given a fresh one in its next session, and the one before stays good
// until the fresh one is shown (remember.go). So nobody is locked out by a
// message that got lost. A device that pairs again begins anew: its older grants
// are void, also in tunnels that live on.
//
// A change of ecv in agent.yaml thus reaches a device in the next session that
// the relay lets through by the old grant. Devices that were paired before ecv was
// switched on have taught the router nothing, and need the PIN or an approval.
//
// An old devices.json, put back from a backup, knows again who was revoked after
// it was made. A relay remembers what it was told for half a day after the agent
// has left, and says so when that is newer. Revoke again after putting a backup back.
//
// # Judging, and learning
//
// See judge.go for the steps. The router learns an environment
//
//   - in the first session of a device within an hour of its pairing;
//   - when the PIN or an owner has confirmed it;
//   - as far as features are concerned of which nothing was known, in sessions
//     in which the device may do all that the policy guards.
//
// The last can be exploited by somebody who has the device where it belongs: what
// he claims there for the first time counts elsewhere later. It gets him nothing
// that he does not have at that moment. A policy that weighs a feature much
// should make it mandatory: then it is learned at the pairing, or by confirmation.
//
// Nothing is learned from evidence that is too old. An approval answers the newest
// question of the device: who asks for it should see in 'waiting' that it waits
// since he asked. Where a device was let in last is kept whatever service it was
// let in for: two who use one device's key far from each other are both noticed.
//
// The router believes the relay's word on net, asn and country, and on an account
// that is not the device's key. With that alone nobody is let in, unless the
// policy makes key and network enough: then who has stolen a key and runs the
// relay is. A relay that begins to have accounts shows another account than was
// learned; confirm a device once, and both are known.
//
// # Sharing
//
// Nobody shares more than he has, or for longer; admins share with guests only.
// That is looked at when somebody is invited and when he accepts. Who is revoked
// loses the invitations that he has sent. Devices that have accepted one stay, and
// are listed with the short ID of who has shared: take them back one by one.
// Accepting an invitation takes the place of an earlier pairing of the same or a
// lower role, and begins it anew. Names are unique among what was shared; a device
// that pairs with the router itself calls itself what it likes. An ID goes before a name.
//
// # What is kept, and for how long
//
//	pairing: name, key's ID, secret, when, last used   until the access ends
//	tags of environments, keyed: no name, no place     until not seen again for retention.environments
//	last place, a cell of about 1 km, in clear         as environments, since it was seen
//	decisions with reasons, without values             retention.log
//	invitations                                        until accepted, taken back or expired
//	wrong PINs, counted                                until a right one, or the access ends
//	who was revoked, by ID                             until the grant would have ended
//
// Kept within an hour or so, and only by a clock that has run for three hours
// without a jump (retention.go). 'forget' erases all of it at once for a device,
// but the last: the relay has to be told that its grants are void.
package agent
