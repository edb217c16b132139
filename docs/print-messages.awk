# docs/manual/messages.md from the sources: every line of the log that is a warning or an error, and every
# text that tells an error, by its kind, with what to do.
#
#   awk -f print-messages.awk src/base/error.h SOURCE...
#
# A line is what stands in sl_log(log, LEVEL, "text" ...); a text is what stands in sl_fail(err, KIND, "text" ...) and in the few functions that a file has for
# texts which begin alike. What is filled in shows as three dots.

BEGIN {
    remedy["CONFIG"] = "Correct the option or argument that is named; its range is in the manual page. Nothing starts before."
    remedy["PARSE"] = "A file: correct or replace it. An answer: something else than the server meant has answered (a proxy, another path): compare the URL."
    remedy["TOOBIG"] = "A limit that no sane input meets: is it the right URL or file? The limits are in `src/base/limits.h`."
    remedy["IO"] = "The system's words follow. A file: its path, owner, mode, SELinux type, and room on the disk. A server: name, route, firewall, proxy, and on Fedora and EPEL the SELinux boolean."
    remedy["TIMEOUT"] = "The server is slow or silent: see there; `Timeout` is how long is waited."
    remedy["TLS"] = "Compare the host in the URL with the certificate; name a private CA in `CACert`; see its dates and the clock of this host."
    remedy["AUTH"] = "The key, token or password is wrong, has ended or was deleted: replace the file that holds it. No restart is needed."
    remedy["FORBIDDEN"] = "The key or account is good and may not do this: give it the right that is named."
    remedy["NOTFOUND"] = "Compare the name that is not found with what is there: pool, WorkerPool, namespace, path of the URL."
    remedy["CONFLICT"] = "Somebody else wrote in between; it is read and decided again. If it stays: find the other writer."
    remedy["RATELIMIT"] = "Raise `Interval` (and those of costly documents); the pause that the server asks for is kept."
    remedy["REJECTED"] = "The server has understood and refuses: its words follow."
    remedy["REMOTE"] = "The server fails: see its log and status page."
    remedy["NOMEM"] = "This host has no memory left: look at what takes it."
    remedy["CANCELED"] = "collectd was stopping."
    remedy["BUG"] = "Please report it with the line."
    remedy["ANSWER"] = "The status or the words that follow tell the kind: 401 and 403 are the key, 404 a name or path, 429 the rate, 5xx the server; a proxy may have answered instead of it."
    quote = "\""
}

FNR == 1 { take_file() ; text = ""; file = FILENAME }
{ text = text $0 "\n" }
END { take_file(); print_page() }

function take_file() {
    if (text == "")
        return
    if (file ~ /error\.h$/)
        take_kinds()
    else {
        take_calls("sl_log(", 3)
        take_calls("sl_fail(", 3)
        take_calls("fail_at(", 3)
        take_calls(" fail(", file ~ /csr/ ? 2 : file ~ /dropin/ ? 2 : 3)
        take_calls(" refuse(", 2)
    }
}

# X(NAME, "words", may it be tried again) of SL_ERROR_MAP
function take_kinds(    rest, name, at) {
    rest = text
    while (match(rest, /X\([A-Z]+, "[^"]*", (true|false)\)/)) {
        name = substr(rest, RSTART + 2, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH)
                at = index(name, ",")
        kinds[++kind_count] = substr(name, 1, at - 1)
        split(name, parts, quote)
        words[kinds[kind_count]] = parts[2]
        retried[kinds[kind_count]] = name ~ /true/
    }
}

# Every call of `start`; the text is its argument number `place`.
function take_calls(start, place,    rest, at) {
    rest = text
    while ((at = index(rest, start)) > 0) {
        rest = substr(rest, at + length(start))
        if (split_call(rest) >= place)
            take_call(start, arguments[place])
    }
}

# arguments[1..n] of a call whose opening bracket has just been passed
function split_call(rest,    i, c, depth, count, in_string) {
    for (i in arguments)
        delete arguments[i]
    count = 1
    depth = 0
    for (i = 1; i < 2000; i++) {
        c = substr(rest, i, 1)
        if (in_string) {
            if (c == "\\") {
                arguments[count] = arguments[count] c substr(rest, ++i, 1)
                continue
            }
            in_string = c != quote
        } else if (c == quote)
            in_string = 1
        else if (c == "(")
            depth++
        else if (c == ")" && depth-- == 0)
            return count
        else if (c == "," && depth == 0) {
            count++
            continue
        }
        arguments[count] = arguments[count] c
    }
    return 0
}

function kind_of(start) {
    if (start == "sl_log(")
        return match(arguments[2], /SL_LOG_(ERROR|WARNING)/) ? "LOG" : ""
    if (match(arguments[1] arguments[2], /SL_[A-Z]+/))
        return substr(arguments[1] arguments[2], RSTART + 3, RLENGTH - 3)
    return start == "sl_fail(" ? "ANSWER" : start == "fail_at(" ? "CONFIG" : "PARSE"
}

# The pieces of a literal are joined; those of a choice (a ? "b" : "c") are texts of their own.
function take_call(start, argument,    rest, piece, end, joined) {
    gsub(/PRI[duxX](8|16|32|64|MAX|PTR)/, "\"u\"", argument)
    rest = argument
    while ((end = index(rest, quote)) > 0) {
        if (joined != "" && substr(rest, 1, end) ~ /:/) {
            add(kind_of(start), joined)
            joined = ""
        }
        rest = substr(rest, end + 1)
        piece = ""
        while ((c = substr(rest, 1, 1)) != quote && rest != "") {
            if (c == "\\") {
                rest = substr(rest, 2)
                c = substr(rest, 1, 1)
                if (c != quote && c != "\\")
                    c = " "
            }
            piece = piece c
            rest = substr(rest, 2)
        }
        rest = substr(rest, 2)
        joined = joined piece
    }
    if (joined != "")
        add(kind_of(start), joined)
}

function add(kind, message,    room) {
    gsub(/%%/, "\001", message)
    gsub(/%[-+ #0-9.*]*[hlzjt]*[a-zA-Z]/, "...", message)
    gsub(/\001/, "%", message)
    gsub(/\|/, "\\|", message)
    if (kind == "" || message !~ /[a-z][a-z]/ || (kind, message) in seen)
        return
    seen[kind, message] = 1
    room = file
    sub(/\/[^\/]*$/, "", room)
    sub(/^.*src\//, "", room)
    sub(/^.*plugins\//, "plugins/", room)
    list[kind] = list[kind] "| `" message "` | " room " |\n"
}

function print_table(kind) {
    print "| message | said by |\n|---|---|"
    printf "%s", list[kind]
}

function print_page(    i, kind) {
    print "# Messages\n"
    print "Made from the sources: every warning and error of the log, and the reasons in which they and the answers of"
    print "`spacelift-pool` end, by kind, with what to do. Three dots stand for what is filled in: an option, a name, a"
    print "number, the words of a server. The frequent ones are in [troubleshooting.md](troubleshooting.md).\n"
    print "## Lines of the log\n"
    print "Warnings and errors; where a line ends in three dots, what to do depends on the reason they stand for.\n"
    print_table("LOG")
    kinds[++kind_count] = "ANSWER"
    words["ANSWER"] = "of a kind that depends on the answer"
    for (i = 1; i <= kind_count; i++) {
        kind = kinds[i]
        if (list[kind] == "")
            continue
        print "\n## " toupper(substr(words[kind], 1, 1)) substr(words[kind], 2) "\n"
        print remedy[kind] (retried[kind] ? " It is tried again by itself." : "") "\n"
        print_table(kind)
    }
}
