# Sourced by the build-* scripts: a Go that is new enough, and a build that shows signs of life. Expects
# go_version (the toolchain to fetch when no Go of this machine will do) and tools (tests/tools).
# shellcheck shell=bash disable=SC2154

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# release VERSION: "go1.26.8" -> 1026, so that releases compare as numbers
release() {
    local digits=${1#go}
    local major=${digits%%.*} minor=${digits#*.}
    minor=${minor%%[!0-9]*}
    printf '%d' $((major * 1000 + minor))
}

# A Go that knows GOTOOLCHAIN (1.21 and later) fetches the release that a module asks for by itself.
find_go() {
    local candidate version
    for candidate in "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
        [ -x "$candidate" ] || continue
        version=$(GOTOOLCHAIN=local "$candidate" env GOVERSION 2>/dev/null) || continue
        if [ "$(release "$version")" -ge 1021 ]; then
            printf '%s' "$candidate"
            return 0
        fi
    done
    return 1
}

# Debian 12's Go is too old to build this and to know GOTOOLCHAIN, but it can fetch a newer one the
# same way, as a module that the checksum database vouches for.
fetch_toolchain() {
    local old_go=$1 arch dir
    arch=$("$old_go" env GOARCH)
    say "fetching $go_version (this machine has $("$old_go" env GOVERSION))"
    dir=$("$old_go" mod download -json "golang.org/toolchain@v0.0.1-$go_version.linux-$arch" |
        sed -n 's/^[[:space:]]*"Dir": "\(.*\)",$/\1/p')
    [ -n "$dir" ] || { say "could not fetch $go_version"; return 1; }
    chmod -R u+w "$dir"
    chmod +x "$dir"/bin/* "$dir"/pkg/tool/*/* 2>/dev/null || chmod +x "$dir"/bin/*
    # Modules cannot hold a module, so the archive has the files under another name.
    [ -e "$dir/src/go.mod" ] || mv "$dir/src/_go.mod" "$dir/src/go.mod"
    printf '%s' "$dir/bin/go"
}

provide_go() {
    find_go && return 0
    say "installing Go"
    "$tools/install-packages" golang-go >&2
    find_go && return 0
    fetch_toolchain "$(command -v go)"
}

# compile PACKAGES COMMAND...: go build says nothing for minutes; the number of packages it has
# compiled (of about PACKAGES) is a sign of life.
compile() {
    local packages=$1 pid start=$SECONDS
    shift
    CGO_ENABLED=0 "$@" >build.log 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 1
        (((SECONDS - start) % 15 == 0)) &&
            say "compiled $(wc -l <build.log) of about $packages packages, $((SECONDS - start)) s"
    done
    wait "$pid" || { tail -n 20 build.log >&2; say "the build failed"; return 1; }
}

# Everything Go keeps goes into the folder of this build, and goes away with it.
go_environment() {
    export GOPATH=$1/gopath GOMODCACHE=$1/gopath/pkg/mod GOCACHE=$1/gocache
    export GOFLAGS='-mod=mod -buildvcs=false' GOTOOLCHAIN=auto GO111MODULE=on GOWORK=off
}
