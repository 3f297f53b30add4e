-- What both string libraries are asked by test_str_match.c: every feature and every error of
-- patterns. Returns all answers as one text, a line each.
local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub
local lines = {}

local function show(value)
    local kind = type(value)
    if kind == "function" or kind == "table" then
        return kind
    end
    return kind .. ":" .. tostring(value)
end

local function tell(what, ...)
    local parts = { what }
    for i = 1, select("#", ...) do
        parts[#parts + 1] = show((select(i, ...)))
    end
    lines[#lines + 1] = table.concat(parts, " ")
end

local function ask(what, f, ...)
    tell(what, pcall(f, ...))
end

local function all(...)
    local found = {}
    for a, b, c in gmatch(...) do
        found[#found + 1] = table.concat({ tostring(a), tostring(b), tostring(c) }, ",")
        if #found > 50 then
            break
        end
    end
    return table.concat(found, ";")
end

-- Each pattern with each of its subjects, in every way.
local sets = {
    {
        subjects = { "", "a", "aaa", "baab", "hello world", "alo alo", "key = value", "a.b.c", "xyz\0abc", "\xff\x80é" },
        patterns = {
            "", "a", "aa", "b", "^", "$", "^$", "^a", "a$", "^a$", "a^", "$a", "^^a", "a$$", ".", "..", ".$", "^.", "a?",
            "a*", "a+", "a-", "^a*", "^a-$", "a-b", "a*b", "a+b", "a?b", ".*", ".+", ".-", ".-$", ".*$", ".*a", ".-a", ".-o",
            "(.*)o", "(.-)o", "l+", "l*o", "lo", "o.", "o.?", "(o)(.)", "()a", "a()", "()a()", "()", "()()", "(())", "(a())",
            "((a)(a))", "(a(a)a)", "(a*)(a*)", "(a*(.)%w(%s*))", "(%w+)%s*=%s*(%w+)", "(%w+)", "%w+", "%W+", "%a", "%A", "%d",
            "%D", "%s", "%S", "%p", "%P", "%c", "%C", "%g", "%G", "%l", "%L", "%u", "%U", "%x", "%X", "%z", "%Z", "%.",
            "%%", "%a%.%a", "a%.b", "[a]", "[^a]", "[ab]", "[^ab]", "[a-c]", "[^a-c]", "[a-]", "[-a]", "[]a]", "[^]a]",
            "[]-a]", "[%a]", "[%a-z]", "[a-%z]", "[%w_]", "[^%s]", "[%]]", "[%-a]", "[a%-z]", "[.]", "[%.]", "[^%z]", "[\0-a]",
            "[\0-\xff]", "[\x80-\xff]+", "[^\0-\x7f]", "[a-%%]", "[a-%%x]", "[%%]", "[+--]", "[*]", "[$]", "[(]", "[a-b-c]",
            "[z-a]", "[^^]", "[^]", "[%s%p]+", "[%S]+$", "[%W%S]", "%f[%w]", "%f[%w]%w+", "%f[%W]", "%f[%z]", "%f[^%z]",
            "%f[%a]%a+%f[%A]", "%f[%s].", "%f[a]a-%f[^a]", "%bab", "%b()", "%baa", "%bao", "%bhd", "%b\0c", "(a)%1", "(a*)%1",
            "(.)%1", "(.)(.)%2%1", "(.-)%1$", "()%1", "()a%1", "(%a+) %1", "\0", "z\0a", "%z", "\0+", "\xff", "\xff.", "é",
        },
    },
    {
        subjects = { "", "a", "aa", "abc", "(", "[]" },
        patterns = {
            "%", "a%", "%%%", "[", "[a", "[^", "[^]", "[]", "[%", "[%]", "[a%", "[a-", "[a-%", "[a-%]", "a[", "b[", "b%", "x%",
            "x[", "(", ")", "((", "(a", "a(", "a)", "(a))", "(()", "())", "b)", "b(", "x)", "%1", "%0", "%9", "a%1", "(a)%2",
            "(a%1)", "(%1)", "(a)(%2)", "((a)%1)", "%b", "%ba", "%b(", "x%b", "%f", "%fa", "%f(", "%f[", "%f[a", "%f[%", "x%f",
            "*", "+", "-", "?", "**", "a**", "a+*", "a--", "a??", "^*", "^+a", "^-", "(*)", "(*a)", "%*", "[*]*", "]", "[]]",
            "%q", "%k", "%é", "%\0", "%\xff+", "%A%", "%(", "%(a", "%[", "%]", "%^", "%$", "$$", "^^", "%bxx", "%b%%", "%f%a",
        },
    },
    {
        subjects = { "((a)(b)) (", "f(a,g(b))c", "()", ")(", "THE (quick) fox", "%d%%", "a-b+c*d?e", "x=[y]z" },
        patterns = {
            "%b()", "%b)(", "(%b())", "%b()$", "^%b()", "%b((", "%f[%a]%u+", "%((%a+)%)", "%(.-%)", "%(.*%)", "[()]", "[^()]+",
            "%%d", "%%+", "[%%]", "%-", "%+", "%*", "%?", "[+-]", "[*-?]", "[%[%]]", "=%[", "%[.-%]", "%[(.-)%]", "()%b()()",
        },
    },
}

local by = { "", "x", "<%0>", "%1", "<%1%1>", "%2", "%%", "%", "%x", "a%", "%1 %2 %3", "\0%0\0" }
local tables = { {}, { a = "A", o = 0, aa = false, [1] = "one", [2] = 2.5 }, { a = {} }, { ["aaa"] = rawlen, alo = true } }
local functions = {
    function() end,
    function(...) return select("#", ...) .. tostring((...)) end,
    function(a) return a ~= "a" and a end,
    function(a) return a == "o" and {} or nil end,
    function(a, b) return b end,
    function() return 1, "ignored" end,
    function(a) error("no " .. tostring(a), 0) end,
}

-- What is asked with a pattern and a subject: some of each list, others the next time.
local turn = 0
local function some(list, count)
    local chosen = {}
    for i = 1, count do
        turn = turn + 1
        chosen[i] = list[turn % #list + 1]
    end
    return ipairs(chosen)
end

local function ask_all(subject, pattern)
    ask("find", find, subject, pattern)
    ask("match", match, subject, pattern)
    ask("plain", find, subject, pattern, 1, true)
    ask("gmatch", all, subject, pattern)
    for _, init in some({ 0, 2, 3, 4, 20, -1, -2, -20 }, 3) do
        ask("find from", find, subject, pattern, init)
        ask("match from", match, subject, pattern, init)
        ask("gmatch from", all, subject, pattern, init)
    end
    for _, with in some(by, 4) do
        ask("gsub", gsub, subject, pattern, with)
    end
    for _, most in some({ -1, 0, 1, 2, 3 }, 2) do
        ask("gsub some", gsub, subject, pattern, "<%0>", most)
    end
    for _, with in some(tables, 1) do
        ask("gsub table", gsub, subject, pattern, with)
    end
    for _, with in some(functions, 3) do
        ask("gsub function", gsub, subject, pattern, with)
    end
end

for _, set in ipairs(sets) do
    for _, pattern in ipairs(set.patterns) do
        for _, subject in ipairs(set.subjects) do
            tell("--", pattern, subject)
            ask_all(subject, pattern)
        end
    end
end

-- Arguments that are none.
local odd = { n = 9, nil, true, 0, -1, 1.5, 2.0, "x", {}, rawlen }
for _, f in ipairs { "find", "match", "gmatch", "gsub" } do
    for i = 1, odd.n do
        tell("-- argument", f, odd[i])
        ask("1", string[f], odd[i])
        ask("1", string[f], odd[i], "a", "b", 1)
        ask("2", string[f], "a", odd[i])
        ask("2", string[f], "a", odd[i], "b", 1)
        ask("3", string[f], "a", "a", odd[i])
        ask("3", string[f], "a", "a", odd[i], 1)
        ask("4", string[f], "a", "a", "1", odd[i])
        ask("4", string[f], "a", "a", 1, odd[i])
        ask("4", string[f], "a", "a", nil, odd[i])
    end
    ask("none", string[f])
end
ask("too few", find, "aaaaa", ("a+"):rep(199))
ask("too few", find, "aaaaa", ("a+"):rep(250))
ask("numbers", gsub, 1221, 2, 3)
ask("numbers", find, 12.5, ".", 1)
ask("method", function() return ("x"):gsub(nil) end)
ask("method", function() return ("x"):find() end)
ask("huge", find, "aaa", "a", 9223372036854775807)
ask("huge", find, "aaa", "a", -9223372036854775807 - 1)
ask("huge", gsub, "aaa", "a", "b", 9223372036854775807)
ask("huge", gsub, "aaa", "a", "b", -9223372036854775807 - 1)
ask("huge", all, "aaa", "a", 9223372036854775807)

-- The limits: captures and choices.
local aaa = ("a"):rep(300)
for _, item in ipairs { "a?", "a*", "a-", "a", "()", "(a)", "(a?)", ".?", "[a]-", "%a*", "b?", "b*", "b-" } do
    for _, times in ipairs { 31, 32, 33, 66, 67, 99, 100, 101, 198, 199, 200, 201, 202, 250 } do
        tell("-- times", item, times)
        ask("find", find, aaa, item:rep(times))
        ask("find", find, "ab", "^" .. item:rep(times) .. "$")
        ask("find", find, "aaaaa", item:rep(times))
    end
end
for i = 28, 33 do
    ask("captures", gsub, aaa, ("(a)"):rep(i), "%1%9")
    ask("captures", match, aaa, ("("):rep(i) .. "a" .. (")"):rep(i))
    ask("captures", match, aaa, ("()"):rep(i))
end

-- What iterators do at their end and afterwards.
for _, row in ipairs { { "abc", "b*" }, { "abc", "" }, { "", "" }, { "aXb", "%a" }, { "aab", "a-" }, { "abc", "(" } } do
    local next_one = gmatch(row[1], row[2])
    for i = 1, 8 do
        ask("iterator", next_one, i)
    end
end

-- Long texts, past every buffer that is inside.
local long = ("abcdefgh "):rep(2000)
ask("long", function() return #gsub(long, "%w+", "<%0>"), #gsub(long, " ", ""), #gsub(long, ".", "%0%0%0") end)
ask("long", gsub, long, "%w+", { abcdefgh = "x" })
ask("long", find, long .. "abcdefghi", "abcdefghi", 1, true)
ask("long", find, long .. "abcdefghi", "(abcdefghi)")
ask("long", find, long:sub(1, 900), "(.-)i")
ask("long", match, long, "^(.*) (.-) $", -30)
ask("long", find, aaa .. "b" .. aaa, aaa .. "b", 1, true)
ask("long", find, aaa:rep(30) .. "b" .. aaa, "a" .. aaa .. "b" .. aaa, 1, true)
return table.concat(lines, "\n")
