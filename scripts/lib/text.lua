-- What people type, made fit to be shown to others.
local text = {}

-- One line of 1 to `most` characters without blanks around it, or nil for anything else: no string,
-- too long, nothing but blanks, not UTF-8.
function text.line(value, most)
  if type(value) ~= "string" or #value > most * 4 then return nil end
  local line = value:gsub("%c", " "):match("^%s*(.-)%s*$")
  local length = utf8.len(line) -- nil where it is not UTF-8
  return length and length > 0 and length <= most and line or nil
end

return text
