# SPDX-License-Identifier: GPL-2.0
"""The figures of a bench: medians, ratios, bounds, as text."""
import statistics

MIB = 1 << 20
CRIU_BOUND_MIB = 256


def ms(ns):
    return f"{ns / 1e6:.1f}" if ns < 1e8 else f"{ns / 1e6:.0f}"


def median(samples):
    """One round's figures out of those of several, name by name; lists have none."""
    return {name: statistics.median(sample[name] for sample in samples)
            for name, value in samples[0].items() if not isinstance(value, list)}


def table(head, rows):
    cells = [head, *rows]
    widths = [max(len(str(row[column])) for row in cells) for column in range(len(head))]
    lines = ["| " + " | ".join(str(cell).rjust(width) for cell, width in zip(row, widths)) + " |"
             for row in cells]
    lines.insert(1, "| " + " | ".join("-" * (width - 1) + ":" for width in widths) + " |")
    return "\n".join(lines)


SINGLE_TIMES = {"fork": "fork_ns", "pause": "pause_ns", "first pause": "first_pause_ns",
                "total": "total_ns", "dd": "dd_ns",
                "restart": "restart_ns", "CRIU frozen": "criu_frozen_ns",
                "CRIU dump": "criu_dump_ns", "dump + sync": "criu_durable_ns",
                "CRIU restore": "criu_restore_ns"}
SINGLE_SIZES = {"MiB written": "bytes", "extra MiB": "extra_memory_bytes"}


def single_row(mib, figures):
    """A dash for what was not measured: not every node has CRIU."""
    times = [ms(figures[name]) if name in figures else "-" for name in SINGLE_TIMES.values()]
    return [mib, *times, *(f"{figures[name] / MIB:.1f}" for name in SINGLE_SIZES.values())]


def one_line(figures):
    """The figures of one round, for whoever waits."""
    return ", ".join(f"{name} {ms(figures[key])}" for name, key in SINGLE_TIMES.items()
                     if key in figures)


def bound(name, found, limit, unit, holds):
    return {"name": name, "found": round(found, 2), "limit": round(limit, 2), "unit": unit,
            "holds": holds}


def at_most(name, found, limit, unit):
    return bound(name, found, limit, unit, found <= limit)


def bounds_of(mib, figures):
    pause, fork, total = (figures[name] / 1e6 for name in ("pause_ns", "fork_ns", "total_ns"))
    bounds = [
        at_most(f"{mib} MiB: pause <= 2 * fork + 10 ms", pause, 2 * fork + 10, "ms"),
        at_most(f"{mib} MiB: total <= 1.5 * dd", total, 1.5 * figures["dd_ns"] / 1e6, "ms"),
        at_most(f"{mib} MiB: extra memory <= 16 MiB + 2 %", figures["extra_memory_bytes"] / MIB,
                16 + 0.02 * mib, "MiB"),
    ]
    if mib == CRIU_BOUND_MIB and "criu_frozen_ns" in figures:
        ratio = figures["criu_frozen_ns"] / figures["pause_ns"]
        bounds.append(bound(f"{mib} MiB: CRIU frozen >= 20 * pause", ratio, 20, "times",
                            ratio >= 20))
    return bounds


def single_text(single):
    rows = [single_row(entry["mib"], entry["median"]) for entry in single]
    return "one process, times in ms\n\n" + table(["MiB", *SINGLE_TIMES, *SINGLE_SIZES], rows)


def totals(rounds):
    return ", ".join(ms(entry["total_ns"]) for entry in rounds)


def at_once_text(result):
    rows = [(name.replace("_", " "), ms(result[name]["total_ns"]), ms(result[name]["pause_ns"]),
             totals(result["warm_up"][name]))
            for name in ("at_once", "one_by_one")]
    return (f"checkpoint of {result['processes']} processes of {result['mib']} MiB on "
            f"{result['nodes']} nodes, each to its node's disk, times in ms\n\n"
            + table(("", "total", "pause (sum)", "totals of the rounds before"), rows)
            + f"\n\none by one / at once: {result['speedup']:.2f}")


def small_text(small):
    rows = [(entry["nodes"], entry["processes"], entry["mib"],
             ms(entry["checkpoint"]["total_ns"]),
             ms(entry["checkpoint"]["pause_ns"]), ms(entry["restart"]["total_ns"]))
            for entry in small]
    head = ("nodes", "processes", "MiB each", "total", "pause", "restart from the shared store")
    return ("small applications, measured in the same rounds, times in ms\n\n"
            + table(head, rows))


def restarts_text(restarts):
    rows = [(entry["nodes"], entry["processes"], entry["moved"], ms(entry["median"]["total_ns"]),
             totals(entry["warm_up"])) for entry in restarts]
    head = ("nodes", "processes", "parts moved", "total", "totals of the rounds before")
    return ("restart of the same application from the shared store, times in ms\n\n"
            + table(head, rows))


def simulator_text(speed):
    return ("the simulator, on one processor\n\n"
            + table(("protocol events/s", "events of whole worlds/s", "seeds/min"),
                    [(speed["protocol_events_per_s"], speed["world_events_per_s"],
                      speed["seeds_per_minute"])]))


def bounds_text(bounds):
    rows = [(entry["name"], entry["found"], entry["limit"], entry["unit"],
             "holds" if entry["holds"] else "DOES NOT HOLD") for entry in bounds]
    return "bounds\n\n" + table(("bound", "found", "limit", "unit", ""), rows)
