"""Draws a Grafana dashboard from its JSON and Prometheus's answers, as one SVG. It heeds what the JSON says of places, titles, units, colours, thresholds and mappings, as far as the
dashboard of the chart uses them, and is no Grafana."""
import html
import re

UNIT, LINE, GAP = 60, 34, 8  # pixels: a column of the grid's 24, a line of it, the gap between panels
COLOURS = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0"]
NAMED = {"green": "#56a64b", "orange": "#e0752d", "red": "#c4162a", "blue": "#3274d9", "purple": "#8f3bb8"}
MARGIN = 72


def formatted(value, unit):
    if unit == "percent":
        return f"{value:.0f} %" if value == int(value) else f"{value:.1f} %"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if unit == "s":
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:.3g}" + {"reqps": " req/s", "ops": " ops/s"}.get(unit, "")


def colour_of(value, thresholds):
    fitting = [s["color"] for s in thresholds["steps"] if s["value"] is None or value >= s["value"]]
    return NAMED.get(fitting[-1], fitting[-1])


def text(x, y, words, **style):
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{html.escape(words)}</text>'


def stat(panel, series, width, height):
    defaults = panel["fieldConfig"]["defaults"]
    values = [points[-1][1] for _, points in series if points]
    if values:
        words, fill = formatted(values[0], defaults["unit"]), colour_of(values[0], defaults["thresholds"])
        for mapping in defaults["mappings"]:
            words = mapping["options"].get(f"{values[0]:g}", {}).get("text", words)
    else:
        words, fill = defaults["noValue"], "#808080"
    return [f'<rect width="{width}" height="{height}" rx="3" fill="{fill}"/>', text(10, 20, panel["title"], fill="#fff", font_weight="600"),
            text(width / 2, height / 2 + 24, words, fill="#fff", font_size="32", font_weight="600", text_anchor="middle")]


def path(points, begin, end, x_of, y_of):
    """A gap in the series is a gap in the line."""
    parts, last = [], None
    for at, value in points:
        parts.append(f"{'M' if last is None or at - last > (end - begin) / 30 else 'L'}{x_of(at):.1f} {y_of(value):.1f}")
        last = at
    return " ".join(parts)


def graph(panel, series, width, height, begin, end):
    defaults, shown = panel["fieldConfig"]["defaults"], [s for s in series if s[1]]
    fixed = {o["matcher"]["options"]: o["properties"][0]["value"]["fixedColor"] for o in panel["fieldConfig"]["overrides"]}
    if defaults["custom"]["stacking"]["mode"] == "normal":
        below, stacked = {}, []
        for name, points in shown:
            stacked.append((name, [(at, value + below.get(at, 0)) for at, value in points]))
            below.update(dict(stacked[-1][1]))
        drawn = stacked[::-1]  # the tallest first, so that the others lie in front of it
    else:
        drawn = shown
    limit = max((s["value"] for s in defaults.get("thresholds", {"steps": []})["steps"] if s["value"]), default=0) if "thresholdsStyle" in defaults["custom"] else 0
    top = max((v for _, points in drawn for _, v in points), default=0) or 1
    left, right, high, low = MARGIN, width - 12, 38, height - 52
    x_of, y_of = (lambda at: left + (at - begin) / (end - begin) * (right - left)), (lambda v: low - v / top * (low - high))
    parts = [text(10, 20, panel["title"], font_weight="600")]
    for share in (0, 0.5, 1):
        y = y_of(top * share)
        parts += [f'<path d="M{left} {y:.1f}H{right}" stroke="#e4e7e7"/>', text(left - 6, y + 4, formatted(top * share, defaults["unit"]), fill="#52545c", text_anchor="end")]
    parts += [text(left, low + 13, "0 min", fill="#52545c"), text(right, low + 13, f"{(end - begin) / 60:.0f} min", fill="#52545c", text_anchor="end")]
    if 0 < limit <= top:
        parts.append(f'<path d="M{left} {y_of(limit):.1f}H{right}" stroke="{NAMED["red"]}" stroke-dasharray="4 3"/>')
    order = [name for name, _ in shown]
    colours = {name: NAMED.get(fixed.get(name), fixed.get(name)) or COLOURS[i % len(COLOURS)] for i, name in enumerate(order)}
    for name, points in drawn:
        line = path(points, begin, end, x_of, y_of)
        if drawn is not shown:
            parts.append(f'<path d="{line} L{x_of(points[-1][0]):.1f} {low} L{x_of(points[0][0]):.1f} {low}Z" fill="{colours[name]}" fill-opacity="0.4"/>')
        parts.append(f'<path d="{line}" fill="none" stroke="{colours[name]}" stroke-width="1.5"/>')
    x, y = 10, height - 22
    for i, name in enumerate(order):
        if x + 18 + 6.2 * len(name) > width - 10:
            x, y = 10, y + 14
        if y > height - 8:
            parts.append(text(width - 10, height - 8, f"+{len(order) - i}", text_anchor="end"))
            break
        parts += [f'<rect x="{x}" y="{y - 7}" width="10" height="4" fill="{colours[name]}"/>', text(x + 14, y, name)]
        x += 24 + 6.2 * len(name)
    return parts


def table(panel, rows, width, height):
    arranged = panel["transformations"][0]["options"]
    columns = [label for label in sorted(arranged["indexByName"], key=arranged["indexByName"].get) if any(r.get(label) for r in rows)]
    parts = [text(10, 20, panel["title"], font_weight="600")]
    if not rows:
        return [*parts, text(width / 2, height / 2, panel["fieldConfig"]["defaults"]["noValue"], text_anchor="middle", fill="#52545c")]
    mapped = panel["fieldConfig"]["overrides"][0]["properties"][0]["value"][0]["options"]
    step = (width - 20) / len(columns)
    for i, label in enumerate(columns):
        parts.append(text(10 + i * step, 44, arranged["renameByName"][label], fill="#1f62e0", font_weight="600"))
    room = (height - 52) // 20
    for line, row in enumerate(rows[:room]):
        for i, label in enumerate(columns):
            value = row.get(label, "")
            style = {"fill": NAMED.get(mapped[value]["color"], "#24292e"), "font_weight": "600", "text_decoration": "underline"} if label == "state" and value in mapped else {}
            parts.append(text(10 + i * step, 64 + line * 20, value, **style))
    if len(rows) > room:
        parts.append(text(width - 10, 20, f"{len(rows)} rows", text_anchor="end"))
    return parts


def draw(panels, begin, end, alerts):
    """panels: (the panel's JSON, its series as (name, [(time, value)]), or the labels of its rows). alerts: (name, begin, end), for the annotations of graphs."""
    parts, bottom = [], 0
    for panel, found in panels:
        grid = panel["gridPos"]
        x, y, width, height = grid["x"] * UNIT, grid["y"] * LINE, grid["w"] * UNIT - GAP, grid["h"] * LINE - GAP
        bottom = max(bottom, y + height)
        inside = {"stat": lambda p=panel, f=found: stat(p, f, width, height), "row": lambda p=panel: [text(4, 20, "▾ " + p["title"], font_size="15", font_weight="600")],
                  "table": lambda p=panel, f=found: table(p, f, width, height),
                  "timeseries": lambda p=panel, f=found: graph(p, f, width, height, begin, end)}[panel["type"]]()
        if panel["type"] == "timeseries":
            for _, first, last in alerts:
                left, right = (MARGIN + (max(begin, at) - begin) / (end - begin) * (width - 12 - MARGIN) for at in (first, last))
                inside.insert(0, f'<rect x="{left:.1f}" y="38" width="{max(1, right - left):.1f}" height="{height - 90}" fill="#c4162a" fill-opacity="0.06"/>')
        plate = "" if panel["type"] == "row" else f'<rect width="{width}" height="{height}" rx="3" fill="#fff" stroke="#dde0e2"/>'
        parts.append(f'<g transform="translate({x + GAP},{y + GAP})">{plate}{"".join(inside)}</g>')
    width, height = 24 * UNIT + GAP, bottom + 2 * GAP
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11" fill="#24292e">\n'
            f'<rect width="100%" height="100%" fill="#f4f5f5"/>\n{body}\n</svg>\n')


def legend(pattern, labels):
    return re.sub(r"{{(\w+)}}", lambda m: labels.get(m[1], ""), pattern)
