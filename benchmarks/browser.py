"""How responsive JupyterLab stays while `yes` runs in a tab, ours or a stock terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lab import lab_page
from .programs import YES
from .results import Row, Series
from .servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

#: Gives the milliseconds between all frames, and those that each click waited for its turn, of so many milliseconds.
_WATCH = """async length => {
  const frames = [], waits = [];
  const end = performance.now() + length;
  let last = performance.now();
  await new Promise(done => {
    const frame = now => {
      frames.push(now - last);
      last = now;
      now < end ? requestAnimationFrame(frame) : done();
    };
    requestAnimationFrame(frame);
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => waits.push(performance.now() - data);
    const timer = setInterval(() => {
      channel.port2.postMessage(performance.now());
      if (performance.now() > end) clearInterval(timer);
    }, 20);
  });
  return [frames.slice(1), waits];
}"""


def flood(plan: Plan) -> Iterator[Row]:
    """Frames of a page, and the wait of an event for its turn, while `yes` runs in a tab in front."""
    seconds = plan.pick(20, 5)
    frames: dict[str, Series] = {}
    waits: dict[str, Series] = {}
    with Server(plan.directory, lab=True) as server:
        for name, start in (("ours", server.task), ("stock terminal", server.stock)):
            plan.say(f"yes in JupyterLab, {name}")
            with start(YES) as terminal, lab_page(server) as page:
                last = terminal.path.rpartition("/")[2]
                command, args = ("ptytasks:open", {"id": last}) if name == "ours" else ("terminal:open", {"name": last})
                page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args)", [command, args])
                page.locator(".jp-Terminal .xterm-screen").wait_for()
                between, waited = page.evaluate(_WATCH, seconds * 1000)
                frames[name] = Series(tuple(value / 1000 for value in between), "s")
                waits[name] = Series(tuple(value / 1000 for value in waited), "s")
    for what, measured in (("frames of", frames), ("delay of an event in", waits)):
        ours, stock = measured["ours"], measured["stock terminal"]
        value = Series((ours.percentile(95) / max(stock.percentile(95), 1e-4),), "ratio")
        told = f"{what} JupyterLab while `yes` runs in its front tab: p95 ÷ the stock terminal's"
        yield Row(told, value, ours, {"stock terminal": stock})
