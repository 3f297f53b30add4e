-- WebSocket on nginx's raw sockets, as much of it as the measurements need: Debian has no library for
-- it. LuaJIT compiles the loop over the bytes; a frame goes out in one piece.
local bit = require("bit")
local ffi = require("ffi")
local semaphore = require("ngx.semaphore")

local band, bor, bxor = bit.band, bit.bor, bit.bxor
local byte, char = string.byte, string.char

local KEEP = 65536
local buffer = ffi.new("uint8_t[?]", KEEP)

local M = {}

local function shake_hands()
  local key = ngx.var.http_sec_websocket_key
  if not key then return nil end
  ngx.status = 101
  ngx.header["Upgrade"] = "websocket"
  ngx.header["Connection"] = "upgrade"
  ngx.header["Content-Type"] = nil
  ngx.header["Sec-WebSocket-Accept"] =
    ngx.encode_base64(ngx.sha1_bin(key .. "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
  ngx.send_headers()
  ngx.flush(true)
  local socket = ngx.req.socket(true)
  if socket then socket:settimeout(600000) end
  return socket
end

local function unmask(data, mask)
  local len = #data
  local out = len <= KEEP and buffer or ffi.new("uint8_t[?]", len)
  local keys = { byte(mask, 1, 4) }
  local k0, k1, k2, k3 = keys[1], keys[2], keys[3], keys[4]
  ffi.copy(out, data, len)
  for i = 0, len - 4, 4 do
    out[i] = bxor(out[i], k0)
    out[i + 1] = bxor(out[i + 1], k1)
    out[i + 2] = bxor(out[i + 2], k2)
    out[i + 3] = bxor(out[i + 3], k3)
  end
  for i = len - len % 4, len - 1 do out[i] = bxor(out[i], keys[i % 4 + 1]) end
  return ffi.string(out, len)
end

local function read_length(socket, len)
  if len < 126 then return len end
  local text = socket:receive(len == 126 and 2 or 8)
  if not text then return nil end
  local sum = 0
  for i = 1, #text do sum = sum * 256 + byte(text, i) end
  return sum
end

-- The opcode and the payload of the next frame; nil: the connection is over.
local function read_frame(socket)
  local head = socket:receive(2)
  if not head then return nil end
  local first, second = byte(head, 1, 2)
  local len = read_length(socket, band(second, 127))
  local mask = len and band(second, 128) ~= 0 and socket:receive(4)
  local data = mask and (len == 0 and "" or socket:receive(len))
  if not data then return nil end
  return band(first, 15), unmask(data, mask)
end

local function frame(opcode, data)
  local len = #data
  local first = bor(128, opcode)
  if len < 126 then return char(first, len) .. data end
  if len < 65536 then return char(first, 126, bit.rshift(len, 8), band(len, 255)) .. data end
  return char(first, 127, 0, 0, 0, 0, band(bit.rshift(len, 24), 255), band(bit.rshift(len, 16), 255),
    band(bit.rshift(len, 8), 255), band(len, 255)) .. data
end

-- Until the client leaves; on_message gets each message.
local function converse(socket, on_message)
  while true do
    local opcode, data = read_frame(socket)
    if not opcode then return end
    if opcode == 8 then
      socket:send(frame(8, data))
      return
    elseif opcode == 9 then
      socket:send(frame(10, data))
    elseif opcode < 3 then
      on_message(opcode, data)
    end
  end
end

function M.echo()
  local socket = shake_hands()
  if not socket then return ngx.exit(400) end
  converse(socket, function(opcode, data) socket:send(frame(opcode, data)) end)
end

-- Each connection has a thread that writes what is queued for it, all of a turn at once: only the
-- request that a socket belongs to may use it.
local everybody = {}

local function write_queue(member)
  while not member.is_over do
    member.bell:wait(600)
    if member.count > 0 then
      local text = table.concat(member.queue, "", 1, member.count)
      member.count = 0
      if not member.socket:send(text) then return end
    end
  end
end

local function tell_others(from, text)
  for member in pairs(everybody) do
    if member ~= from then
      member.count = member.count + 1
      member.queue[member.count] = text
      if member.count == 1 then member.bell:post(1) end
    end
  end
end

function M.fan()
  local socket = shake_hands()
  if not socket then return ngx.exit(400) end
  local member = { socket = socket, queue = {}, count = 0, bell = semaphore.new() }
  everybody[member] = true
  local writer = ngx.thread.spawn(write_queue, member)
  converse(socket, function(opcode, data) tell_others(member, frame(opcode, data)) end)
  everybody[member] = nil
  ngx.thread.kill(writer)
end

return M
