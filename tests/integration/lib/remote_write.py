"""Remote write as a receiver sees it, from the bytes up: snappy's block format, protobuf, and every
MUST of both specifications. Written from the specifications, not from the sender's code:

https://prometheus.io/docs/specs/prw/remote_write_spec/ and .../remote_write_spec_2_0/ (2.0-rc.4),
protobuf.dev "Encoding", google/snappy format_description.txt.
"""

import re
import struct
from dataclasses import dataclass, field

STALE = 0x7FF0000000000002
NORMAL_NAN = 0x7FF8000000000001
KINDS = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")
CONTENT_TYPES = {"1.0": "application/x-protobuf",
                 "2.0": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
VERSIONS = {"1.0": "0.1.0", "2.0": "2.0.0"}


class Violation(AssertionError):
    """A rule of the specification is broken."""


def require(condition, text):
    if not condition:
        raise Violation(text)


# ---- snappy, block format --------------------------------------------------------------------------

def uncompress(body):
    require(not body.startswith(b"\xff\x06\x00\x00sNaPpY"), "snappy's framed format")
    size, at = varint(body, 0)
    out = bytearray()
    while at < len(body):
        tag = body[at]
        at += 1
        if tag & 3 == 0:
            length = tag >> 2
            if length >= 60:
                more = length - 59
                length = int.from_bytes(body[at:at + more], "little")
                at += more
            length += 1
            require(at + length <= len(body), "a literal beyond the end")
            out += body[at:at + length]
            at += length
            continue
        if tag & 3 == 1:
            length, offset = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | body[at]
            at += 1
        else:
            more = 2 if tag & 3 == 2 else 4
            length, offset = (tag >> 2) + 1, int.from_bytes(body[at:at + more], "little")
            at += more
        require(0 < offset <= len(out), "a copy from before the beginning")
        start = len(out) - offset
        while length > 0:  # a copy may overlap what it makes
            piece = out[start:start + length]
            out += piece
            start += len(piece)
            length -= len(piece)
    require(len(out) == size, f"{len(out)} bytes, {size} were promised")
    return bytes(out)


# ---- protobuf --------------------------------------------------------------------------------------

def varint(data, at):
    value = shift = 0
    while True:
        require(at < len(data) and shift < 70, "a varint without an end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at


def fields(data):
    """(number, wire type, value) of a message; a fixed64 is its 8 bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = data[at:at + 8], at + 8
        elif wire == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            raise Violation(f"wire type {wire}")
        require(at <= len(data), f"field {number} ends beyond its message")
        yield number, wire, value


def message(data, known):
    """{name: [values]} of a message; known: {number: (name, wire type)}."""
    found = {name: [] for name, _ in known.values()}
    for number, wire, value in fields(data):
        require(number in known, f"field {number} is not in the schema")
        name, wanted = known[number]
        require(wire == wanted, f"field {name} has wire type {wire}")
        found[name].append(value)
    return found


def only(values, default):
    require(len(values) <= 1, "a single field twice")
    return values[0] if values else default


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def number_of(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


# ---- messages --------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Sample:
    bits: int
    time_ms: int
    start_ms: int = 0

    @property
    def value(self):
        return number_of(self.bits)

    @property
    def is_stale(self):
        return self.bits == STALE


@dataclass
class Series:
    labels: list  # of (name, value)
    samples: list
    kind: str = "unknown"
    help: str = ""
    unit: str = ""

    @property
    def name(self):
        return dict(self.labels).get("__name__", "")

    def key(self):
        return tuple(self.labels)

    def text(self):
        """NAME{label="value",...} without __name__, as exposition text has it."""
        return series_text(dict(self.labels))


def series_text(labels):
    inner = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())
                     if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inner}}}"


@dataclass
class Request:
    protocol: str
    series: list = field(default_factory=list)
    metadata: list = field(default_factory=list)  # 1.0: (kind, family, help, unit)
    symbols: list = field(default_factory=list)   # 2.0

    def sample_count(self):
        return sum(len(series.samples) for series in self.series)


def _sample(data, has_start):
    known = {1: ("value", 1), 2: ("timestamp", 0)}
    if has_start:
        known[3] = ("start", 0)
    found = message(data, known)
    bits = int.from_bytes(only(found["value"], bytes(8)), "little")
    return Sample(bits, signed(only(found["timestamp"], 0)),
                  signed(only(found.get("start", []), 0)))


def _series_1_0(data):
    found = message(data, {1: ("labels", 2), 2: ("samples", 2)})
    labels = []
    for label in found["labels"]:
        parts = message(label, {1: ("name", 2), 2: ("value", 2)})
        labels.append(tuple(text(only(parts[key], b"")) for key in ("name", "value")))
    return Series(labels, [_sample(sample, False) for sample in found["samples"]])


def decode_1_0(data):
    found = message(data, {1: ("timeseries", 2), 3: ("metadata", 2)})
    request = Request("1.0", [_series_1_0(each) for each in found["timeseries"]])
    for each in found["metadata"]:
        parts = message(each, {1: ("type", 0), 2: ("family", 2), 4: ("help", 2), 5: ("unit", 2)})
        request.metadata.append((KINDS[only(parts["type"], 0)], text(only(parts["family"], b"")),
                                 text(only(parts["help"], b"")), text(only(parts["unit"], b""))))
    return request


def _refs(packed, symbols):
    at, refs = 0, []
    while at < len(packed):
        ref, at = varint(packed, at)
        require(ref < len(symbols), f"reference {ref} of {len(symbols)} symbols")
        refs.append(symbols[ref])
    require(len(refs) % 2 == 0, "an odd number of label references")
    return list(zip(refs[::2], refs[1::2]))


def _series_2_0(data, symbols):
    found = message(data, {1: ("labels", 2), 2: ("samples", 2), 3: ("histograms", 2),
                           4: ("exemplars", 2), 5: ("metadata", 2)})
    require(not (found["samples"] and found["histograms"]), "samples and histograms together")
    require(found["samples"] or found["histograms"], "a series with neither sample nor histogram")
    series = Series(_refs(b"".join(found["labels"]), symbols),
                    [_sample(sample, True) for sample in found["samples"]])
    meta = message(only(found["metadata"], b""), {1: ("type", 0), 3: ("help", 0), 4: ("unit", 0)})
    help_ref, unit_ref = only(meta["help"], 0), only(meta["unit"], 0)
    require(max(help_ref, unit_ref) < len(symbols), "a reference of metadata beyond the symbols")
    series.kind = KINDS[only(meta["type"], 0)]
    series.help, series.unit = symbols[help_ref], symbols[unit_ref]
    return series


def decode_2_0(data):
    found = message(data, {4: ("symbols", 2), 5: ("timeseries", 2)})
    symbols = [text(each) for each in found["symbols"]]
    require(symbols and symbols[0] == "", "symbols do not begin with the empty one")
    require(len(set(symbols)) == len(symbols), "a symbol twice")
    return Request("2.0", [_series_2_0(each, symbols) for each in found["timeseries"]],
                   symbols=symbols)


def text(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Violation(f"not UTF-8: {data!r}") from None


def decode(protocol, body):
    return (decode_1_0 if protocol == "1.0" else decode_2_0)(uncompress(body))


# ---- the rules -------------------------------------------------------------------------------------

def protocol_of(headers):
    """From Content-Type, to the letter."""
    for protocol, content_type in CONTENT_TYPES.items():
        if headers["Content-Type"] == content_type:
            return protocol
    raise Violation(f"Content-Type is {headers['Content-Type']!r}")


def check_headers(headers):
    protocol = protocol_of(headers)
    for name in ("Content-Encoding", "Content-Type", "X-Prometheus-Remote-Write-Version",
                 "User-Agent"):
        require(len(headers.get_all(name, [])) == 1, f"header {name} is there not once")
    require(headers["Content-Encoding"] == "snappy", "Content-Encoding is not snappy")
    version = headers["X-Prometheus-Remote-Write-Version"]
    require(version == VERSIONS[protocol], f"version {version} of {protocol}")
    require(re.fullmatch(r"[\w!#$%&'*+.^`|~-]+/[\w.+~-]+( .*)?", headers["User-Agent"]),
            f"User-Agent {headers['User-Agent']!r}")
    return protocol


def check_series(series):
    names = [name.encode() for name, _ in series.labels]
    shown = series.labels
    require(names == sorted(names), f"labels are not sorted by their bytes: {shown}")
    require(len(set(names)) == len(names), f"a label name twice: {shown}")
    require(all(name and value for name, value in shown), f"an empty name or value: {shown}")
    require(b"__name__" in names, f"no __name__: {shown}")
    require(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", series.name), f"metric name: {shown}")
    for name, _ in shown:
        require(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name), f"label name {name!r}")
        require(name == "__name__" or not name.startswith("__"), f"reserved label {name!r}")
    times = [sample.time_ms for sample in series.samples]
    require(times == sorted(set(times)), f"times within a series: {times}")
    for sample in series.samples:
        require(10 ** 12 < sample.time_ms < 10 ** 16, f"no milliseconds: {sample.time_ms}")
        is_nan = (sample.bits & 0x7FF0000000000000 == 0x7FF0000000000000
                  and sample.bits & 0x000FFFFFFFFFFFFF)
        require(not is_nan or sample.bits in (STALE, NORMAL_NAN), f"NaN {sample.bits:#x}")
        require(sample.start_ms <= sample.time_ms, "a start after the sample")
        require(sample.start_ms == 0 or sample.start_ms > 10 ** 12, "a start in no milliseconds")


class Order:
    """Over all requests: the samples of a series in the order of their times, each once unless the
    request itself is a repetition."""

    def __init__(self):
        self._last = {}

    def check(self, request):
        for series in request.series:
            for sample in series.samples:
                last = self._last.get(series.key(), 0)
                require(sample.time_ms > last,
                        f"{series.text()}: {sample.time_ms} after {last}")
                self._last[series.key()] = sample.time_ms


def check(headers, body):
    """All of a request; returns it decoded."""
    request = decode(check_headers(headers), body)
    for series in request.series:
        check_series(series)
    if request.protocol == "2.0":
        used = {""}
        for series in request.series:
            used.update(part for label in series.labels for part in label)
            used.update((series.help, series.unit))
        require(set(request.symbols) == used, "symbols that nobody refers to")
    return request
