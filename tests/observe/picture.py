"""Draws what the panels of the dashboard show, as one SVG: a page of docs has it, so that a reader sees what they get."""
import html

WIDTH, HEIGHT, ACROSS, MARGIN = 400, 190, 3, 34
COLOURS = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"]
MOST_LINES = len(COLOURS)


def line(points, begin, end, top):
    """A path over the panel's plane; a gap in the series is a gap in the line."""
    step, last, path = (end - begin) / 100, None, []
    for at, value in points:
        x = MARGIN + (at - begin) / (end - begin) * (WIDTH - MARGIN - 10)
        y = HEIGHT - 48 - value / top * (HEIGHT - 78)
        path.append(f"{'M' if last is None or at - last > step * 3 else 'L'}{x:.1f} {y:.1f}")
        last = at
    return " ".join(path)


def panel(title, series, begin, end):
    series = [s for s in series if s[1]][:MOST_LINES]
    top = max((v for _, points in series for _, v in points), default=0) or 1
    parts = [f'<rect width="{WIDTH - 8}" height="{HEIGHT - 8}" rx="4" fill="#fff" stroke="#ccc"/>', f'<text x="10" y="18" font-weight="bold">{html.escape(title)}</text>',
             f'<text x="4" y="34" fill="#666">{top:.3g}</text>', f'<text x="4" y="{HEIGHT - 46}" fill="#666">0</text>',
             f'<path d="M{MARGIN} {HEIGHT - 48}H{WIDTH - 14}" stroke="#ccc"/>']
    x = 10
    for colour, (name, points) in zip(COLOURS, series):
        parts.append(f'<path d="{line(points, begin, end, top)}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        text = name if len(name) <= 24 else name[:23] + "…"
        if x + 6 * len(text) < WIDTH - 20:
            parts.append(f'<text x="{x}" y="{HEIGHT - 18}" fill="{colour}">{html.escape(text)}</text>')
            x += 6 * len(text) + 14
    return "".join(parts)


def draw(panels, begin, end):
    """panels: (title, [(name, [(time, value)])]); one SVG."""
    rows = -(-len(panels) // ACROSS)
    drawn = "\n".join(f'<g transform="translate({i % ACROSS * WIDTH + 4},{i // ACROSS * HEIGHT + 4})">{panel(title, series, begin, end)}</g>' for i, (title, series) in enumerate(panels))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{ACROSS * WIDTH}" height="{rows * HEIGHT}" font-family="sans-serif" font-size="11">\n'
            f'<rect width="100%" height="100%" fill="#f4f5f5"/>\n{drawn}\n</svg>\n')
