"""Tables of medians, with the budgets beside them."""
import datetime
import os
import platform
import re
import statistics
import subprocess


# Of `scale`: what is in milliseconds or MiB; all else is the p50 of a request, in µs, and held against FLAT.
MILLISECONDS = {"start", "start, nothing in the page cache", "stop", "blobs gc", "repo list", "status"}
MEMORY = ("RssAnon", "RssFile")
FLAT = 1.5


def medians(results):
    return {name: {key: statistics.median(r[key] for r in rounds) for key in rounds[0]} for name, rounds in results.items()}


def table(title, header, rows, budgets):
    lines = [f"### {title}", "", "| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += [""] + [f"- {'met' if met else '**missed**'}: {text}" for text, met in budgets]
    return "\n".join(lines) + "\n"


def ratio(a, b):
    return a / b if b else float("inf")


def pull(results, clients):
    values = medians(results)
    own, nginx = values["entrepot"], values["nginx"]
    rows = [
        [name, f"{v['rate']:.0f}", f"{ratio(v['rate'], nginx['rate']):.2f}", f"{v['cpu']:.2f}", f"{v['peak']:.0f}"] for name, v in values.items()
    ]
    against = ratio(own["rate"], nginx["rate"])
    wanted = 1.1 if clients > 1 else 1.0
    budgets = [(f"throughput ≥ {wanted} × nginx: {against:.2f}", against >= wanted)]
    if clients > 1:
        budgets += [
            (f"≤ 0.25 CPU seconds a GiB: {own['cpu']:.2f}", own["cpu"] <= 0.25),
            (f"resident memory < 80 MB: {own['peak'] * 1.048576:.0f}", own["peak"] * 1.048576 < 80),
        ]
    plural = "client" if clients == 1 else "clients"
    return table(f"Blob pull, {clients} {plural}", ["", "MiB/s", "× nginx", "CPU s/GiB", "peak MiB"], rows, budgets)


def manifest(results):
    values = medians(results)
    own, nginx, peer = values["entrepot"], values["nginx"], values["docker-registry"]
    rows = [
        [name, f"{v['rate']:.0f}", f"{ratio(v['rate'], nginx['rate']):.2f}", f"{ratio(v['rate'], peer['rate']):.1f}", f"{v['p99']:.0f}", f"{v['percpu']:.0f}"]
        for name, v in values.items()
    ]
    peers, files, late = ratio(own["rate"], peer["rate"]), ratio(own["rate"], nginx["rate"]), ratio(own["p99"], nginx["p99"])
    budgets = [
        (f"≥ 10 × docker-registry: {peers:.1f}", peers >= 10),
        (f"≥ 0.4 × nginx with the same bytes: {files:.2f}", files >= 0.4),
        (f"p99 ≤ 3 × nginx's: {late:.1f}", late <= 3),
    ]
    return table(
        "Manifest by tag, 32 connections", ["", "requests/s", "× nginx", "× docker-registry", "p99 µs", "requests/CPU s"], rows, budgets)


def push(results):
    values = medians(results)
    own, peer = values["entrepot"], values["docker-registry"]
    rows = [[name, f"{v['rate']:.0f}", f"{ratio(v['rate'], peer['rate']):.2f}", f"{v['cpu']:.2f}", f"{v['peak']:.0f}"] for name, v in values.items()]
    rate, cpu = ratio(own["rate"], peer["rate"]), ratio(own["cpu"], peer["cpu"])
    budgets = [
        (f"≥ 2.5 × docker-registry, which does not fsync: {rate:.2f}", rate >= 2.5),
        (f"at half its CPU: {cpu:.2f}", cpu <= 0.5),
    ]
    return table("Layer push", ["", "MiB/s", "× docker-registry", "CPU s/GiB", "peak MiB"], rows, budgets)


def cold(big, again, few, options):
    tables = []
    for title, results in (("Cold pull through a proxy, 1 client", big), ("The same again, warm", again)):
        values = medians(results)
        own, peer = values["entrepot"], values["nginx proxy_cache"]
        rows = [
            [name, f"{v['rate']:.0f}", f"{ratio(v['rate'], peer['rate']):.2f}", f"{v['cpu']:.2f}", f"{v['first']:.1f}", f"{v['peak']:.0f}"]
            for name, v in values.items()
        ]
        against = ratio(own["rate"], peer["rate"])
        if results is big:
            late = own["first"] - values["direct"]["first"]
            budgets = [
                (f"≥ 0.95 × nginx proxy_cache, which verifies nothing: {against:.2f}", against >= 0.95),
                (f"first byte ≤ the upstream's + 20 ms: + {late:.1f}", late <= 20),
            ]
        else:
            budgets = [(f"as a hosted layer, ≥ 1.0 × nginx: {against:.2f}", against >= 1.0)]
        tables.append(table(title, ["", "MiB/s", "× proxy_cache", "CPU s/GiB", "first byte ms", "peak MiB"], rows, budgets))
    values = medians(few)
    own, peer = values["entrepot"], values["nginx proxy_cache"]
    rows = [[name, f"{v['rate']:.0f}", f"{ratio(v['rate'], peer['rate']):.2f}", f"{v['cpu']:.2f}", f"{v['peak']:.0f}"] for name, v in values.items()]
    against = ratio(own["rate"], peer["rate"])
    tables.append(
        table(
            "Small cold objects of 64 KiB, 64 at once", ["", "objects/s", "× proxy_cache", "CPU ms/object", "peak MiB"], rows,
            [(f"≥ 0.6 × nginx proxy_cache: {against:.2f}", against >= 0.6)]))
    return document(tables, options)


def tls(one, many, options):
    tables = []
    for title, results, wanted in (("Blob pull over TLS, 1 client", one, 1.0), ("Blob pull over TLS, 8 clients", many, None)):
        values = medians(results)
        own, nginx = values["entrepot"], values["nginx"]
        against = ratio(own["rate"], nginx["rate"])
        rows = [[name, f"{v['rate']:.0f}", f"{ratio(v['rate'], nginx['rate']):.2f}", f"{v['cpu']:.2f}", f"{v['peak']:.0f}"] for name, v in values.items()]
        budgets = [(f"throughput ≥ {wanted} × nginx with TLS: {against:.2f}", against >= wanted)] if wanted else []
        tables.append(table(title, ["", "MiB/s", "× nginx", "CPU s/GiB", "peak MiB"], rows, budgets))
    return document(tables, options)


def access(results, options):
    values = medians(results)
    without, audited = values["without audit"]["rate"], values["audit"]["rate"]
    # Pair by pair: the machine's pace changes from round to round.
    kept = statistics.median(ratio(a["rate"], b["rate"]) for a, b in zip(results["audit"], results["without audit"]))
    rows = [[name, f"{v['rate']:.0f}", f"{ratio(v['rate'], without):.3f}", f"{v['p99']:.0f}", f"{v['percpu']:.0f}"] for name, v in values.items()]
    budgets = [(f"with the audit trail within 5 % of without: {100 * (1 - kept):.1f} % fewer, in the median of the rounds", kept >= 0.95)]
    return document(
        [table("Manifest by tag, 32 connections, with access control and audit", ["", "requests/s", "× without audit", "p99 µs", "requests/CPU s"], rows, budgets)], options)


def groups(pulls, stale):
    values = medians(pulls)
    one, three = values["hub"], values["all"]
    rows = [
        [name, f"{v['p50']:.0f}", f"{v['p99']:.0f}", f"{ratio(v['p50'], one['p50']):.2f}"]
        for name, v in (("the proxy itself", one), ("a group of three, of which it is the last", three))
    ]
    against = ratio(three["p50"], one["p50"])
    pull = table("A warm pull of a small image by its tag", ["", "p50 µs", "p99 µs", "×"], rows, [(f"≤ 1.5 × one member: {against:.2f}", against <= 1.5)])
    v = medians(stale)["hub"]
    crowd = table(
        "500 at once for a tag that is due, its upstream hanging", ["", "slowest answer s", "threads before", "most threads", "memory MiB"],
        [["entrepot", f"{v['slowest']:.2f}", f"{v['threads']:.0f}", f"{v['most']:.0f}", f"+ {v['memory']:.0f}"]],
        [(f"no thread each: + {v['most'] - v['threads']:.0f}", v["most"] - v["threads"] <= 4), (f"each within 2.5 s: {v['slowest']:.2f}", v["slowest"] <= 2.5)])
    rounds = len(pulls["hub"])
    head = f"Measured {datetime.date.today().isoformat()} by `make bench`: {rounds} rounds, medians, {os.cpu_count()} cores ({processor()}).\n\n"
    return head + pull + "\n" + crowd


def npm(beside, rewriting, group, memory, installs):
    whole, same, size = beside
    tables = []
    for title, results, wanted in ((f"An abbreviated packument of 500 versions, {size >> 10} KiB, warm, 32 connections", whole, 0.5), ("The same where nothing has changed: 304", same, 0.6)):
        values = medians(results)
        rows = [[name, f"{v['rate']:.0f}", f"{ratio(v['rate'], values['nginx']['rate']):.2f}", f"{v['p99']:.0f}", f"{v['percpu']:.0f}"] for name, v in values.items()]
        against = ratio(values["entrepot"]["rate"], values["nginx"]["rate"])
        tables.append(table(title, ["", "requests/s", "× nginx", "p99 µs", "requests/CPU s"], rows, [(f"≥ {wanted} × nginx with the same bytes: {against:.2f}", against >= wanted)]))
    steps, length, versions = rewriting
    steps = medians({"steps": steps})["steps"]
    took = steps["scan"] + steps["compose and copy"]
    rows = [[name, f"{took:.2f}"] for name, took in steps.items()]
    tables.append(table(f"A packument of {length / 1e6:.2f} MB and {versions} versions: from the upstream's bytes to the client's", ["", "ms"], rows, [(f"scanned and rewritten in ≤ 5 ms: {took:.2f}", took <= 5)]))
    values = medians(group)
    rows = [
        [name, f"{v['p50']:.0f}", f"{v['p99']:.0f}", f"{ratio(v['p50'], values['hub']['p50']):.2f}"]
        for name, v in (("the proxy itself", values["hub"]), ("a group of three, of which it is the last", values["all"]))
    ]
    against = ratio(values["all"]["p50"], values["hub"]["p50"])
    tables.append(table("The same through a group, each asked anew", ["", "p50 µs", "p99 µs", "×"], rows, [(f"≤ 1.5 × one member: {against:.2f}", against <= 1.5)]))
    direct = statistics.median(one["cold"] for one in installs["direct"])
    own = medians({"entrepot": installs["entrepot"]})["entrepot"]
    times = {"direct": direct, "entrepot, cold": own["cold"], "entrepot, warm": own["warm"], "the upstream, near": statistics.median(one["cold"] for one in installs["nginx"])}
    rows = [[name, f"{took:.2f}", f"{took / direct:.2f}"] for name, took in times.items()]
    budgets = [(f"{key} ≤ {wanted} × direct: {own[key] / direct:.2f}", own[key] <= wanted * direct) for key, wanted in (("cold", 1.15), ("warm", 0.7))]
    tables.append(table("npm ci of a hundred packages, 49 MiB, the upstream 30 ms and 20 MiB/s away", ["", "s", "× direct"], rows, budgets))
    values = medians(memory)
    names = {"publish": "publish of a 100 MB package", "packument": "a packument of 40 MB through a proxy, cold", "again": "the same, warm"}
    rows = [[name, f"{values[key]['seconds']:.2f}", f"+ {values[key]['memory']:.0f}"] for key, name in names.items()]
    budgets = [(f"{name}: memory grows by less than 32 MB: {values[key]['memory'] * 1.048576:.0f}", values[key]["memory"] * 1.048576 < 32) for key, name in names.items()]
    tables.append(table("Large packages and packuments", ["", "s", "memory MiB"], rows, budgets))
    rounds = len(installs["direct"])
    head = f"Measured {datetime.date.today().isoformat()} by `make bench`: {rounds} rounds, medians, {os.cpu_count()} cores ({processor()}), clients and servers on the same ones.\n\n"
    return head + "\n".join(tables)


def maven(build, requests, jar, jar_size, deploys, metadata, size):
    tables = []
    values = medians(build)
    own, nginx = values["entrepot"], values["nginx"]
    rows = [[name, f"{v['rate']:.0f}", f"{v['p99']:.0f}", f"{1e6 / v['percpu']:.0f}"] for name, v in values.items()]
    cpu, late = ratio(nginx["percpu"], own["percpu"]), ratio(own["p99"], nginx["p99"])
    budgets = [(f"CPU ≤ 2 × nginx's: {cpu:.2f}", cpu <= 2), (f"p99 ≤ 3 × nginx's: {late:.2f}", late <= 3)]
    tables.append(table(f"The {requests} requests of a build, through a group, warm, over and over, 32 connections", ["", "requests/s", "p99 µs", "CPU µs a request"], rows, budgets))
    values = medians(jar)
    against = ratio(values["entrepot"]["rate"], values["nginx"]["rate"])
    rows = [[name, f"{v['rate']:.0f}", f"{ratio(v['rate'], values['nginx']['rate']):.2f}", f"{v['p99']:.0f}"] for name, v in values.items()]
    tables.append(table(f"A jar of {jar_size >> 10} KiB", ["", "requests/s", "× nginx", "p99 µs"], rows, [(f"≥ 0.4 × nginx: {against:.2f}", against >= 0.4)]))
    early, last = deploys
    rows = [["the 10th version", f"{early:.2f}"], ["the 2001st", f"{last:.2f}"]]
    tables.append(table("Deploying a version of one artifact", ["", "ms"], rows, [(f"the last costs what the 10th did, ≤ 1.5 ×: {last / early:.2f}", last <= 1.5 * early)]))
    rate = medians(metadata)["entrepot"]
    tables.append(table(f"Metadata of 2001 versions, {size >> 10} KiB", ["", "requests/s", "p99 µs"], [["entrepot", f"{rate['rate']:.0f}", f"{rate['p99']:.0f}"]], []))
    rounds = len(build["nginx"])
    head = f"Measured {datetime.date.today().isoformat()} by `make bench`: {rounds} rounds, medians, {os.cpu_count()} cores ({processor()}), clients and servers on the same ones.\n\n"
    return head + "\n".join(tables)


def helm(index, size, publishes, peak, large, large_peak):
    values = medians(index)
    against = ratio(values["entrepot"]["rate"], values["nginx"]["rate"])
    rows = [[name, f"{v['rate']:.0f}", f"{ratio(v['rate'], values['nginx']['rate']):.2f}", f"{v['p99']:.0f}", f"{v['percpu']:.0f}"] for name, v in values.items()]
    tables = [table(f"An index of 5,100 chart versions, {size >> 10} KiB, warm, 32 connections", ["", "requests/s", "× nginx", "p99 µs", "requests/CPU s"], rows, [(f"≥ 0.6 × nginx with the same bytes: {against:.2f}", against >= 0.6)])]
    early, late, alone, followed = publishes
    rows = [["the 10th version: ms", f"{early:.2f}"], ["the 5,000th: ms", f"{late:.2f}"], ["CPU ms of one", f"{alone:.1f}"], ["CPU ms of one, and of the index that is read after it", f"{followed:.1f}"]]
    budgets = [
        (f"the last costs what the 10th did, ≤ 1.5 ×: {late / early:.2f}", late <= 1.5 * early), (f"under 20 ms of CPU: {alone:.1f}", alone < 20),
        (f"memory below 100 MB throughout: {peak * 1.048576:.0f}", peak * 1.048576 < 100),
    ]
    tables.append(table("Publishing into it", ["", ""], rows, budgets))
    rows = [[name, f"{one['seconds']:.2f}", f"{one['cpu']:.2f}"] for name, one in zip(("cold: fetched, converted and composed", "warm"), large)]
    quick = large[1]["seconds"]
    tables.append(table(f"An upstream's index of 20 MB through a proxy; the server's memory reaches {large_peak * 1.048576:.0f} MB", ["", "s", "CPU s"], rows, [(f"no parsing once it is kept, < 0.2 s: {quick:.2f}", quick < 0.2)]))
    head = f"Measured {datetime.date.today().isoformat()} by `make bench`: {len(index['nginx'])} rounds, medians, {os.cpu_count()} cores ({processor()}), clients and servers on the same ones.\n\n"
    return head + "\n".join(tables)


def start(results):
    values = medians(results)
    own = values["entrepot"]
    rows = [[name, f"{v['milliseconds']:.0f}", f"{v['memory']:.0f}"] for name, v in values.items()]
    budgets = [
        (f"first answer < 100 ms: {own['milliseconds']:.0f}", own["milliseconds"] < 100),
        (f"idle memory < 60 MB: {own['memory'] * 1.048576:.0f}", own["memory"] * 1.048576 < 60),
    ]
    return table("Start to first answer, and idle memory", ["", "ms", "MiB"], rows, budgets)


def scale(results, shapes):
    values = medians(results)
    (small, few), (large, many) = values.items()
    requests, others = [], []
    for name in few:
        row = [name, few[name], many[name], ratio(many[name], few[name])]
        (others if name in MILLISECONDS or name.startswith(MEMORY) else requests).append(row)
    header = ["", small, large, "×"]
    slow = [f"{name}: {times:.2f}" for name, _, _, times in requests if times > FLAT]
    flat = table(
        "Requests, p50 in µs over one kept connection", header, [[name, f"{a:.0f}", f"{b:.0f}", f"{times:.2f}"] for name, a, b, times in requests],
        [(f"each ≤ {FLAT} × as long with a million rows" + (": " + "; ".join(slow) if slow else ""), not slow)])
    rows = [[name, f"{a:.0f}", f"{b:.0f}", f"{times:.1f}"] for name, a, b, times in others]
    starts = {name: many[name] for name in ("start", "start, nothing in the page cache") if name in many}
    whole = table(
        "The whole server: ms, and MiB of memory", header, rows,
        [(f"{name} < 1 s with a million rows: {took / 1000:.2f}", took < 1000) for name, took in starts.items()])
    rounds = len(next(iter(results.values())))
    head = f"Measured {datetime.date.today().isoformat()} by `make bench`: {rounds} rounds, medians, {os.cpu_count()} cores ({processor()}).\n\n"
    return head + "\n".join(f"- {shape}" for shape in shapes) + "\n\n" + flat + "\n" + whole


def version(line):
    answer = subprocess.run(line, capture_output=True, text=True, timeout=20)
    return (answer.stdout + answer.stderr).strip().split("\n")[0]


def processor():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*:\s*(.+)", file.read())
    return model.group(1).strip() if model else platform.machine()


def document(tables, options):
    head = (
        f"Measured {datetime.date.today().isoformat()} by `make bench`: {options.rounds} interleaved rounds, medians; layer of {options.size} MiB; "
        f"{os.cpu_count()} cores ({processor()}), clients and servers on the same ones; {version(['/usr/sbin/nginx', '-v'])}; "
        f"{version(['docker-registry', '--version'])}.\n"
    )
    return head + "\n" + "\n".join(tables)


def write(path, section, text):
    begin, end = f"<!-- {section}:begin -->", f"<!-- {section}:end -->"
    with open(path) as file:
        before, rest = file.read().split(begin, 1)
    after = rest.split(end, 1)[1]
    with open(path, "w") as file:
        file.write(f"{before}{begin}\n{text}{end}{after}")
