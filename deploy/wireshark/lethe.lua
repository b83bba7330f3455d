-- Wireshark dissector for Lethe's leg messages: the datagrams by which an
-- endpoint binds its side of a session at the relay. The package documentation
-- of internal/wire specifies them.
--
-- Leg messages are recognised by content, on any port. On the same addresses
-- flows the tunnel, which is QUIC; once a leg message was seen there, the
-- conversation is Lethe's and QUIC packets are handed on to Wireshark's own
-- dissector. The MAC is shown, but not checked: the secret is not on the wire.

local SIZE = 52
local VERSION = 1

local BIND, COOKIE, BOUND, UNBIND = 0x04, 0x05, 0x06, 0x07
local type_names = {
	[BIND] = "BIND",
	[COOKIE] = "COOKIE",
	[BOUND] = "BOUND",
	[UNBIND] = "UNBIND",
}

local lethe = Proto("lethe", "Lethe leg message")

local f = {
	type = ProtoField.uint8("lethe.leg.type", "Type", base.HEX, type_names),
	version = ProtoField.uint8("lethe.leg.version", "Version", base.DEC),
	reserved = ProtoField.uint16("lethe.leg.reserved", "Reserved", base.HEX),
	id = ProtoField.uint64("lethe.leg.id", "Leg ID", base.HEX),
	counter = ProtoField.uint64("lethe.leg.counter", "Counter", base.DEC),
	cookie = ProtoField.bytes("lethe.leg.cookie", "Cookie"),
	mac = ProtoField.bytes("lethe.leg.mac", "MAC"),
}
lethe.fields = { f.type, f.version, f.reserved, f.id, f.counter, f.cookie, f.mac }

local stray_cookie = ProtoExpert.new("lethe.leg.cookie.stray",
	"Cookie must be zero in this type of message", expert.group.PROTOCOL, expert.severity.WARN)
lethe.experts = { stray_cookie }

local function is_leg_message(buf)
	return buf:len() == SIZE
		and type_names[buf(0, 1):uint()] ~= nil
		and buf(1, 1):uint() == VERSION
		and buf(2, 2):uint() == 0
end

local function is_zero(range)
	return range:bytes():tohex():find("[^0]") == nil
end

local function dissect_leg_message(buf, pinfo, tree)
	local kind = buf(0, 1):uint()
	local name = type_names[kind]
	local id, counter, cookie = buf(4, 8), buf(12, 8), buf(20, 16)

	pinfo.cols.protocol = "LETHE"
	pinfo.cols.info = string.format("%s leg=0x%s counter=%s", name,
		id:uint64():tohex(), tostring(counter:uint64()))

	local sub = tree:add(lethe, buf(), "Lethe leg message: " .. name)
	sub:add(f.type, buf(0, 1))
	sub:add(f.version, buf(1, 1))
	sub:add(f.reserved, buf(2, 2))
	sub:add(f.id, id)
	sub:add(f.counter, counter)
	local item = sub:add(f.cookie, cookie)
	if is_zero(cookie) then
		item:append_text(" (none)")
	elseif kind == BOUND or kind == UNBIND then
		item:add_proto_expert_info(stray_cookie)
	end
	sub:add(f.mac, buf(36, 16))
	return SIZE
end

-- For conversations that are already Lethe's: all of their datagrams.
function lethe.dissector(buf, pinfo, tree)
	if is_leg_message(buf) then
		return dissect_leg_message(buf, pinfo, tree)
	end
	if buf:len() > 0 and buf(0, 1):bitfield(1, 1) == 1 then
		return Dissector.get("quic"):call(buf, pinfo, tree)
	end
	return 0
end

local function recognise(buf, pinfo, tree)
	if not is_leg_message(buf) then
		return false
	end
	pinfo.conversation = lethe
	dissect_leg_message(buf, pinfo, tree)
	return true
end

lethe:register_heuristic("udp", recognise)
DissectorTable.get("udp.port"):add_for_decode_as(lethe)
