-- Rooms: who is in them, and what was said there last.
--
-- A room is plain data, so it can live in `state` and outlive a reload. The functions here own
-- nothing: edit them, and the next version works on the rooms it finds.
local tables = require "tables"

local rooms = {}

local KEEP = 50  -- messages that a newcomer is shown
local MOST = 200 -- rooms at once: with KEEP it bounds the memory that strangers can take

local function forget_empty(all)
  for name, room in pairs(all) do
    if not next(room.people) then all[name] = nil end
  end
end

-- The room of that name, made when it is new; nil when there is no place for another. An empty room
-- keeps its messages until its place is needed, so that reloading the page loses nothing.
function rooms.open(all, name)
  if not all[name] then
    if tables.count(all) >= MOST then forget_empty(all) end
    if tables.count(all) >= MOST then return nil end
    all[name] = { people = {}, messages = {} }
  end
  return all[name]
end

-- Keeps a message, and lets go of the oldest ones.
function rooms.remember(room, message)
  table.insert(room.messages, message)
  while #room.messages > KEEP do table.remove(room.messages, 1) end
end

-- Who is here, sorted by name.
function rooms.people(room)
  local list = json.array {}
  for id, name in pairs(room.people) do table.insert(list, { id = id, name = name }) end
  table.sort(list, function(a, b) return a.name < b.name or a.name == b.name and a.id < b.id end)
  return list
end

return rooms
