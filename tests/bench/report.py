"""The figures as a table, as JSON, as a chart and as README's last part."""
import html
import json
import os
import re
import statistics

from work import WORKS

COLOURS = {"pitrkit": "#1b6ca8", "pitrkit-stream": "#6aaed6", "cp": "#999999",
           "barman-cloud": "#e0a030"}
# Of the parts of README that the bench writes.
HEADING = r"(?:Last measured|Scaling, last measured)[^\n]*"


def number(value):
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def rows(results):
    """One per work, store, delay and tool: medians over the rounds."""
    order, groups = list(WORKS), {}
    for r in results:
        groups.setdefault((r["work"], r["store"], r["delay"], r["tool"]),
                          []).append(r)
    found = []
    for (work, store, delay, tool), rounds in groups.items():
        samples = [x for r in rounds for x in r.get("samples", [r["value"]])]

        def middle(name, rounds=rounds):
            values = [r[name] for r in rounds if r[name] is not None]
            return statistics.median(values) if values else None
        n = rounds[0].get("n") or 1
        found.append({
            "work": work, "store": store, "delay": delay, "tool": tool,
            "label": rounds[0]["label"], "rounds": len(rounds), "n": n,
            "unit": WORKS[work][0], "median": statistics.median(samples),
            "least": min(samples), "most": max(samples),
            "client_cpu": middle("client_cpu"),
            "server_cpu": middle("server_cpu"),
            "peak_kb": middle("peak_kb"), "requests": middle("requests")})
    found.sort(key=lambda r: (order.index(r["work"]), r["store"], r["delay"]))
    for r in found:
        ours = [o["median"] for o in found if o["tool"] == "pitrkit" and all(
            o[k] == r[k] for k in ("work", "store", "delay"))]
        r["ratio"] = None
        if ours and r["tool"] != "pitrkit":
            more = WORKS[r["work"]][1]
            r["ratio"] = (ours[0] / r["median"] if more
                          else r["median"] / ours[0])
    return found


def title(work, sizes):
    return WORKS[work][2].format(**sizes)


def place(row):
    if row["store"] == "file":
        return "a directory"
    return "S3" if not row["delay"] else f"S3, {row['delay']} ms away"


def aligned(lines):
    """A table of those cells; the first line is its head."""
    widths = [max(len(x[i]) for x in lines) for i in range(len(lines[0]))]

    def one(cells):
        return "| " + " | ".join(
            c.ljust(w) if i < 2 else c.rjust(w)
            for i, (c, w) in enumerate(zip(cells, widths))) + " |"
    return [one(lines[0]), "|" + "|".join("-" * (w + 2) for w in widths) + "|",
            *[one(x) for x in lines[1:]]]


def table(found, sizes):
    """One table per work, aligned; CPU per segment where there are any."""
    out = []
    for work in WORKS:
        mine = [r for r in found if r["work"] == work]
        if not mine:
            continue
        per = any(r["n"] > 1 for r in mine)
        scale = 1000 if per else 1
        unit = "ms/seg" if per else "s"
        lines = [["store", "tool", WORKS[work][0], "range", "pitrkit is",
                  f"client CPU {unit}", f"server CPU {unit}", "peak MiB",
                  "requests/seg" if per else "requests"]]
        for r in mine:
            div = r["n"]
            lines.append([
                place(r), r["label"], number(r["median"]),
                f"{number(r['least'])}-{number(r['most'])}",
                f"{r['ratio']:.1f} x" if r["ratio"] else "",
                number(r["client_cpu"] * scale / div),
                number(r["server_cpu"] * scale / div)
                if r["store"] == "s3" else "-",
                number(r["peak_kb"] / 1024) if r["peak_kb"] else "-",
                number(r["requests"] / div)
                if r["requests"] is not None else "-"])
        out += [title(work, sizes), "", *aligned(lines), ""]
    return "\n".join(out)


def chart(found, sizes, environment):
    """Bars, each panel to its own scale; longer is more of its unit."""
    left, width, bar, text = 290, 470, 16, []
    y = 46

    def put(x, y, words, size=12, colour="#222", anchor="start", bold=False):
        text.append(
            f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}"'
            + (' font-weight="bold"' if bold else "")
            + f'>{html.escape(words)}</text>')
    put(20, 26, "pitrkit, side by side", 17, bold=True)
    seen = []
    for r in found:
        panel = (r["work"], r["store"], r["delay"])
        if panel not in seen:
            seen.append(panel)
            y += 26
            unit, more = WORKS[r["work"]][:2]
            put(20, y, f"{title(r['work'], sizes)}, {place(r)}", 13, bold=True)
            put(left + width + 190, y, f"{unit}, "
                + ("longer" if more else "shorter") + " is better", 11,
                "#777", "end")
            y += 8
            most = max(o["most"] for o in found
                       if (o["work"], o["store"], o["delay"]) == panel)
        long = max(1.0, width * r["median"] / most)
        colour = COLOURS.get(r["tool"], "#b5523b")
        put(left - 8, y + 12, r["label"], 12, anchor="end")
        text.append(f'<rect x="{left}" y="{y}" width="{long:.1f}" '
                    f'height="{bar - 3}" fill="{colour}"/>')
        text.append(
            f'<path d="M{left + width * r["least"] / most:.1f} {y + 6.5}'
            f'H{left + width * r["most"] / most:.1f}" stroke="#222" '
            'stroke-width="1"/>')
        put(left + max(long, width * r["most"] / most) + 6, y + 12,
            number(r["median"]))
        y += bar
    y += 30
    for line in environment:
        put(20, y, line, 10, "#777")
        y += 14
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" width="980" '
            f'height="{y}" viewBox="0 0 980 {y}" '
            'font-family="sans-serif">\n'
            f'<rect width="980" height="{y}" fill="#fff"/>\n'
            + "\n".join(text) + "\n</svg>\n")


def save(path, text):
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(path + ".new", path)


def write(out, document, sizes, environment):
    found = rows(document["results"])
    document["rows"] = found
    save(os.path.join(out, "result.json"),
         json.dumps(document, indent=1) + "\n")
    save(os.path.join(out, "chart.svg"), chart(found, sizes, environment))
    text = "\n".join(environment) + "\n\n" + table(found, sizes)
    save(os.path.join(out, "table.txt"), text)
    return text


def readme(source, out, heading, text):
    """README with the figures below that heading, at its end, made anew."""
    with open(source, encoding="utf-8") as f:
        kept, *found = re.split(rf"\n({HEADING})\n-+\n", f.read())
    parts = dict(zip(found[::2], (x.strip("\n") for x in found[1::2])))
    parts[heading] = (
        "Written by the bench itself (--readme), not by hand.\n\n" + "".join(
            f"    {line}".rstrip() + "\n" for line in text.split("\n"))
    ).strip("\n")
    save(os.path.join(out, "README"), kept.rstrip("\n") + "\n" + "".join(
        f"\n{h}\n{'-' * len(h)}\n{part}\n"
        for h, part in sorted(parts.items())))
