"""Names, labels and types of other plugins' values, beside the real write_prometheus: the same value
lists go to both in one collectd, and what one exposes is what the other sends.

The second table is where they differ, on purpose: what Prometheus refuses of write_prometheus."""

import re
import socket
import urllib.request

import pytest

from lib.process import free_ports, wait_until
from lib.receiver import OWN, Receiver
from lib.stack import Collectd, block, plugin_block
from lib.unixsock import Values

# Identifiers that stock plugins dispatch, and a value for each data source. Taken from the plugins'
# manuals and from hosts that run them; one row for each way of using plugin and type instance.
STOCK = """
apache-web/apache_bytes 10
apache-web/apache_connections 5
apache-web/apache_scoreboard-sending 2
battery-0/capacity 5.5
battery-0/voltage-voltage 12.1
cgroups-user.slice/cpu-user 11
chrony-127.127.1.0/clock_stratum-10.0.0.1 2
conntrack/conntrack 300
contextswitch/contextswitch 812345
cpu-0/cpu-idle 123456
cpu-0/cpu-steal 0
cpu/percent-user 3.25
cpufreq-0/cpufreq 2400000000
curl-site/response_time 0.25
curl-site/response_code 200
curl_json-api/gauge-queue_depth 7
dbi-db/gauge-rows 1
df-root/df_complex-free 1000000
df-root/df_complex-used 2000000
df-boot-efi/percent_bytes-free 40.5
disk-sda/disk_octets 1:2
disk-sda/disk_ops 3:4
disk-sda/disk_time 5:6
disk-sda/disk_io_time 7:8
disk-sda/pending_operations 0
dns/dns_octets 9:10
dns/dns_qtype-AAAA 4
email/email_count-spam 1
entropy/entropy 256
ethstat-eth0/derive-rx_packets 77
exec-backup/gauge-age 3600
fscache-Cookies/fscache_stat-idx 1
hddtemp/temperature-sda 31
interface-eth0/if_octets 100:200
interface-eth0/if_packets 3:4
interface-eth0/if_errors 0:0
interface-lo/if_dropped 0:0
ipmi/temperature-CPU_Temp 40
iptables-filter-INPUT/ipt_bytes-SSH 512
irq/irq-LOC 99999
load/load 0.1:0.2:0.3
load/load-relative 0.1:0.2:0.3
logfile/derive-lines 12
lvm-vg0/df_complex-root 1000
mcelog-SOCKET_0/errors-corrected_memory_errors 0
md-0/md_disks-active 2
memcached-local/memcached_command-get 5
memcached-local/df-cache 6:7
memory/memory-used 123456789
memory/percent-used 12.5
mysql-db/mysql_commands-select 55
mysql-db/mysql_octets 1:2
mysql-db/mysql_threads 1:2:3:4
mysql-db/mysql_qcache 1:2:3:4:5
nfs-v3client/nfs_procedure-read 3
nginx-site/nginx_connections-active 4
nginx-site/connections-handled 5
ntpd/time_offset-loop 0.001
openvpn-server/if_octets-client1 1:2
ping/ping-192.0.2.1 1.5
ping/ping_droprate-192.0.2.1 0
postgresql-app/pg_numbackends 3
postgresql-app/pg_xact-commit 100
powerdns-rec/dns_answer-noerror 1
processes/ps_state-running 2
processes/fork_rate 1000
processes-collectd/ps_count 1:12
processes-collectd/ps_cputime 100:200
processes-collectd/ps_rss 4096
protocols-Tcp/protocol_counter-InSegs 4
redis-node1/memory 1024
redis-node1/total_connections 12
sensors-coretemp-isa-0000/temperature-temp1 45
smart-sda/smart_attribute-raw_read_error_rate 1:2:3:4
snmp/if_octets-port1 4:5
statsd/derive-deploys 3
statsd/latency-db.query 0.125
statsd/gauge-queue 17
swap/swap-free 100
swap/swap_io-in 1
table-tokens/gauge-a 1
tail-mail/counter-sent 4
tail-mail/absolute-bounced 2
tcpconns-22-local/tcp_connections-ESTABLISHED 1
thermal-thermal_zone0/temperature 50
turbostat-cpu00/frequency-TSC 2400
uptime/uptime 86400
users/users 3
varnish-default-cache/cache_result-hit 10
virt-vm1/disk_octets-vda 1:2
virt-vm1/virt_cpu_total 12345
vmem/vmpage_number-active 5
vmem/vmpage_io-memory 1:2
wireless-wlan0/signal_power -60
zfs_arc/cache_size-arc 1024
zookeeper/gauge-node_count 5
""".strip().splitlines()

LINE = re.compile(r"^(?P<name>[^{ ]+)\{(?P<labels>.*)\} (?P<value>\S+)( \d+)?$")
LABEL = re.compile(r'([^,="]+)="((?:[^"\\]|\\.)*)"')


def parse(exposition):
    """{(name, labels): (type, value)} of write_prometheus's text."""
    types, found = {}, {}
    for line in exposition.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            types[name] = kind
        elif not line.startswith(("#", "collectd_write_prometheus_remote_")) and line:
            match = LINE.match(line)
            assert match, line
            labels = tuple(sorted(LABEL.findall(match["labels"])))
            found[match["name"], labels] = (types[match["name"]], float(match["value"]))
    return found


class Host:
    """Collectd with both writers and a socket to put values into."""

    def __init__(self, directory, receiver, **options):
        self.port = free_ports(1)[0]
        self.path = str(directory / "sock")
        self.collectd = Collectd(
            str(directory), "LoadPlugin unixsock",
            f'<Plugin unixsock>\n  SocketFile "{self.path}"\n</Plugin>',
            "LoadPlugin write_prometheus",
            f'<Plugin write_prometheus>\n  Port "{self.port}"\n</Plugin>',
            plugin_block("write_prometheus_remote",
                         block("Node", "n", URL=receiver.url, BatchSendDeadline=0, **options)),
            stock_plugins=("unixsock", "write_prometheus"), interval_s=10)

    def start(self):
        self.collectd.start()
        return self

    def stop(self):
        return self.collectd.stop()

    def put(self, *rows):
        # unixsock makes its socket in a thread of its own, which may come later than the daemon's word.
        wait_until(Values(self.path).is_there, 10, "the socket of unixsock")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.path)
            stream = connection.makefile("rw", encoding="utf-8")
            for row in rows:
                identifier, values = row.rsplit(" ", 1)
                stream.write(f'PUTVAL "{identifier}" interval=10 N:{values}\n')
                stream.flush()
                answer = stream.readline()
                assert answer.startswith("0 Success"), (row, answer)

    def exposed(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            return parse(answer.read().decode())


def sent(receiver):
    """The same, of what our plugin has sent, but for what it says of itself. A type travels with 2.0
    only."""
    return {(series.name, tuple((n, v) for n, v in series.labels if n != "__name__")):
            (series.kind, series.samples[-1].value)
            for request in receiver.accepted() for series in request.series
            if not series.name.startswith(OWN)}


@pytest.fixture(name="receiver")
def make_receiver(parts):
    receiver = Receiver().start()
    parts.append(receiver)
    return receiver


def test_as_write_prometheus_names_them(tmp_path, parts, receiver):
    host = Host(tmp_path, receiver)
    parts.append(host)
    host.start().put(*[f"web-1/{row}" for row in STOCK])
    assert len(STOCK) >= 60
    count = sum(1 + row.rsplit(" ", 1)[1].count(":") for row in STOCK)
    expected = wait_until(lambda: len(found := host.exposed()) >= count and found, 10,
                          lambda: f"{count} series, not {len(host.exposed())}")
    wait_until(lambda: len(sent(receiver)) >= count, 10,
               lambda: f"{count} series, not {len(sent(receiver))}")
    receiver.check_all()
    ours = sent(receiver)
    assert set(ours) == set(expected)
    for series, (kind, value) in expected.items():
        our_kind, our_value = ours[series]
        assert our_value == pytest.approx(value, rel=1e-14), series
        if "absolute" in series[0]:
            kind = "gauge"  # it is set back when it is read: no counter (man page, NAMES)
        assert our_kind == kind, series


# What write_prometheus exposes and a receiver or a scrape refuses or spoils, and what we send.
MENDED = [
    ("ho-st/we.ird-x/gauge-y 1", 'collectd_we_ird_gauge{instance="ho-st",type="y",we_ird="x"}'),
    ("host/2fa-x/gauge 1", 'collectd_2fa_gauge{_2fa="x",instance="host"}'),
    ("host/type-a/gauge-b 1", 'collectd_type_gauge{exported_type="b",instance="host",type="a"}'),
    ("host/instance-a/gauge 1", 'collectd_instance_gauge{exported_instance="a",instance="host"}'),
    ("host/job-a/gauge-b 1",
     'collectd_job_gauge{exported_job="a",instance="host",job="nodes",type="b"}'),
    ("host/p-caf\u00e9/gauge 1", 'collectd_p_gauge{instance="host",job="nodes",p="caf\u00e9"}'),
    ("host/p-a\"b/gauge 1", None),  # unixsock itself refuses it
]


def test_what_is_mended(tmp_path, parts, receiver):
    host = Host(tmp_path, receiver, Job="nodes")
    parts.append(host)
    rows = [(row, wanted) for row, wanted in MENDED if wanted]
    host.start().put(*[row for row, _ in rows])
    wanted = {text if 'job="nodes"' in text else with_job(text) for _, text in rows}
    wait_until(lambda: len(receiver.series()) >= len(rows), 10,
               lambda: f"{len(rows)} series: {sorted(receiver.series())}")
    receiver.check_all()
    assert set(receiver.series()) == wanted
    # The real write_prometheus does expose two labels of one name; so the difference is real.
    wait_until(lambda: any(len(dict(labels)) < len(labels) for _, labels in host.exposed()), 10,
               lambda: f"{host.exposed()}")


def with_job(text):
    name, labels = text[:-1].split("{")
    pairs = sorted(LABEL.findall(labels) + [("job", "nodes")])
    return name + "{" + ",".join(f'{n}="{v}"' for n, v in pairs) + "}"


def test_special_values(tmp_path, parts, receiver):
    host = Host(tmp_path, receiver)
    parts.append(host)
    rows = {"nan": "nan", "inf": "inf", "minus_inf": "-inf", "zero": "-0.0", "tiny": "5e-324",
            "large": "1.7976931348623157e308"}
    host.start().put(*[f"host/p/gauge-{name} {value}" for name, value in rows.items()],
                     "host/p/counter-big 18446744073709551615",
                     "host/p/derive-minus -9223372036854775808",
                     "host/p/derive-rounded 9007199254740993")
    wait_until(lambda: len(receiver.series()) >= 9, 10, lambda: f"{sorted(receiver.series())}")
    receiver.check_all()
    bits = {re.search('p="(.*)"', text)[1]: samples[0].bits
            for text, samples in receiver.series(stale=True).items()}
    assert bits == {"nan": 0x7FF8000000000001, "inf": 0x7FF0000000000000,
                    "minus_inf": 0xFFF0000000000000, "zero": 0x8000000000000000, "tiny": 1,
                    "large": 0x7FEFFFFFFFFFFFFF, "big": 0x43F0000000000000,
                    "minus": 0xC3E0000000000000, "rounded": 0x4340000000000000}
