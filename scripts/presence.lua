-- Who is online, at /presence?user=NAME. Messages are JSON objects that say their `type`:
--
--   from a browser    status  status                      "online", "away" or "busy"
--                     beat                                still here; any message says as much
--   to a browser      people  people                      everybody who was here of late
--                     person  user, status, last_seen     somebody changed (`last_seen`: Unix time)
local tables = require "tables"
local text = require "text"

local M = {
  format = "json",
  limits = { message = 1024, rate = 5, burst = 10 },
}

local QUIET = 60    -- seconds without a beat until somebody counts as away
local GRACE = 3     -- seconds to come back in: reloading the page is no goodbye
local FORGET = 3600 -- seconds until somebody who left is forgotten
local MOST = 1000   -- people at once
local CHOICES = { online = true, away = true, busy = true }

state.people = state.people or {} -- user → { chosen, status, last_seen, tabs }

local function entry(user, person)
  return { type = "person", user = user, status = person.status, last_seen = person.last_seen }
end

local function status_of(person)
  if person.tabs == 0 then return "offline" end
  if now() - person.last_seen > QUIET then return "away" end
  return person.chosen
end

-- Everybody hears of a change, and of nothing else.
local function refresh(user)
  local person = state.people[user]
  if not person or person.status == status_of(person) then return end
  person.status = status_of(person)
  publish("presence", entry(user, person))
end

function M.on_open(conn, req)
  local user = text.line(req.query.user, 24)
  if not user then return false, 4001, "say who you are: ?user=, 1 to 24 characters" end
  if not state.people[user] and tables.count(state.people) >= MOST then
    return false, 1013, "too many people"
  end

  conn.data.user = user
  local person = state.people[user] or { chosen = "online", tabs = 0 }
  state.people[user] = person
  person.tabs = person.tabs + 1
  person.last_seen = now()
  refresh(user)

  local people = json.array {}
  for name, other in pairs(state.people) do table.insert(people, entry(name, other)) end
  conn:subscribe("presence")
  conn:send { type = "people", people = people }
end

function M.on_message(conn, message)
  local person = state.people[conn.data.user]
  person.last_seen = now()
  if type(message) == "table" and message.type == "status" and CHOICES[message.status] then
    person.chosen = message.status
  end
  refresh(conn.data.user)
end

function M.on_close(conn)
  local person = state.people[conn.data.user]
  person.tabs = person.tabs - 1
  person.last_seen = now()
  sleep(GRACE) -- a call that sleeps is finished even if this file is reloaded meanwhile
  refresh(conn.data.user)
end

-- Silence makes no event, so somebody has to look.
timer.every("look around", 5, function()
  for user, person in pairs(state.people) do
    if person.tabs > 0 then
      refresh(user)
    elseif now() - person.last_seen > FORGET then
      state.people[user] = nil
    end
  end
end)

return M
