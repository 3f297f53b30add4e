-- Every message goes back as it came: text as text, bytes as bytes.
local M = {}

function M.on_message(conn, data, kind)
  conn:send(data, kind)
end

return M
