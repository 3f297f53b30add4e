-- An arena at /arena/ROOM?name=NAME: players step on a board where each square holds one of them.
-- A message from a browser is { step = "left" }; messages to a browser say their `type`:
--
--   board   id, size, players   after the handshake; a player is { id, name, x, y }
--   joined  player              somebody came,
--   moved   id, x, y            stepped,
--   left    id                  went
--   bump    by                  there stands somebody already: you stay where you are (by: nil, a wall)
--
-- Who stands where is decided in one place. `affinity` brings all players of a room to one worker, so that its
-- `state` has the whole board, and nobody else decides about it while a handler runs: no lock, whatever --workers is.
local text = require "text"

local SIZE = 8
local STEPS = { left = { -1, 0 }, right = { 1, 0 }, up = { 0, -1 }, down = { 0, 1 } }

local M = {
  route = "/arena/:room",
  affinity = "room",
  format = "json",
  limits = { message = 256, rate = 20, burst = 40 },
}

state.arenas = state.arenas or {} -- by room: who is there, by id

local function topic(conn) return "arena:" .. conn.params.room end

local function at(arena, x, y)
  for _, player in pairs(arena) do
    if player.x == x and player.y == y then return player end
  end
end

local function free_square(arena)
  for y = 1, SIZE do
    for x = 1, SIZE do
      if not at(arena, x, y) then return x, y end
    end
  end
end

function M.on_open(conn, req)
  local name = text.line(req.query.name, 24)
  if not name then return false, 4001, "say who you are: ?name=, 1 to 24 characters" end
  local arena = state.arenas[conn.params.room] or {}
  local x, y = free_square(arena)
  if not x then return false, 1013, "the arena is full" end
  local player = { id = conn.id, name = name, x = x, y = y }
  arena[conn.id] = player
  state.arenas[conn.params.room] = arena

  local players = json.array {}
  for _, each in pairs(arena) do players[#players + 1] = each end
  conn:subscribe(topic(conn))
  conn:send { type = "board", id = conn.id, size = SIZE, players = players }
  conn:publish(topic(conn), { type = "joined", player = player })
end

function M.on_message(conn, message)
  local step = type(message) == "table" and STEPS[message.step]
  if not step then return end
  local arena = state.arenas[conn.params.room]
  local player = arena[conn.id]
  local x, y = player.x + step[1], player.y + step[2]
  local other = at(arena, x, y)
  if other or x < 1 or x > SIZE or y < 1 or y > SIZE then
    conn:send { type = "bump", by = other and other.id }
    return
  end
  player.x, player.y = x, y
  publish(topic(conn), { type = "moved", id = conn.id, x = x, y = y })
end

function M.on_close(conn)
  local arena = state.arenas[conn.params.room]
  arena[conn.id] = nil
  if not next(arena) then state.arenas[conn.params.room] = nil end
  publish(topic(conn), { type = "left", id = conn.id })
end

return M
