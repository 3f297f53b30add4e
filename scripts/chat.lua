-- A chat with rooms, at /chat/ROOM?name=NAME. Messages are JSON objects that say their `type`:
--
--   from a browser    say      text
--                     rename   name
--   to a browser      welcome  version, motto, id, name, room, people, messages
--                     message  id, name, text, at           somebody spoke (`at`: Unix time)
--                     joined   id, name                     somebody came,
--                     left     id, name                     went,
--                     renamed  id, name, was                or goes by another name
--                     version  version, motto               this file was saved, the socket stayed
--                     error    error                        what you sent was not understood
local rooms = require "rooms"
local text = require "text"

local MOTTO = "Change this line, save, and watch the page." -- shown above the messages

local M = {
  route = "/chat/:room",
  affinity = "room", -- one worker has all of a room, so `state` knows everybody in it
  format = "json",
  limits = { message = 8192, rate = 10, burst = 30 },
  codes = {
    [4008] = { "too fast", retry = { after = 10, spread = 10 }, fix = "say less at a time" },
  },
}

state.rooms = state.rooms or {} -- survives a reload; everything else in this file starts anew

local function topic(conn) return "chat:" .. conn.params.room end

function M.on_open(conn, req)
  local name = text.line(req.query.name, 24)
  if not name then return false, 4001, "say who you are: ?name=, 1 to 24 characters" end
  if not text.line(conn.params.room, 32) then return false, 4002, "this is no name for a room" end
  local room = rooms.open(state.rooms, conn.params.room)
  if not room then return false, 1013, "all rooms are taken" end

  room.people[conn.id] = name
  conn:subscribe(topic(conn))
  conn:send {
    type = "welcome", version = conn.version, motto = MOTTO,
    id = conn.id, name = name, room = conn.params.room,
    people = rooms.people(room),
    messages = json.array { table.unpack(room.messages) },
  }
  conn:publish(topic(conn), { type = "joined", id = conn.id, name = name })
end

local on = {} -- what to do with a message, by its type

function on.say(conn, message, room)
  local said = text.line(message.text, 500)
  if not said then return "text: 1 to 500 characters" end
  local spoken = {
    type = "message", id = conn.id, name = room.people[conn.id], text = said, at = now(),
  }
  rooms.remember(room, spoken)
  publish(topic(conn), spoken) -- to the speaker too: all see the same order
end

function on.rename(conn, message, room)
  local name, was = text.line(message.name, 24), room.people[conn.id]
  if not name then return "name: 1 to 24 characters" end
  room.people[conn.id] = name
  publish(topic(conn), { type = "renamed", id = conn.id, name = name, was = was })
end

function M.on_message(conn, message)
  local handle = type(message) == "table" and on[message.type]
  local complaint = "type: say or rename"
  if handle then complaint = handle(conn, message, state.rooms[conn.params.room]) end
  if complaint then conn:send { type = "error", error = complaint } end
end

-- By itself the server would say 1008, which means: stay away. Who only talks too much may come back.
function M.decide_close(conn, cause)
  if cause == "rate_limited" then return 4008, "take a breath" end
end

function M.on_close(conn)
  local people = state.rooms[conn.params.room].people
  publish(topic(conn), { type = "left", id = conn.id, name = people[conn.id] })
  people[conn.id] = nil
end

-- This file runs once for each version. When that version serves, all who are connected are told.
timer.after(0, function()
  for conn in connections() do
    conn:send { type = "version", version = conn.version, motto = MOTTO }
  end
end)

return M
