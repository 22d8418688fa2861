"""What can be measured of how a page looks, in the page's own language."""

from __future__ import annotations

#: The least contrast between the texts in an element and what is behind them; WCAG asks for 4.5.
CONTRAST = """element => {
  const parse = color => color.match(/[\\d.]+/g).map(Number);
  const channel = c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = color => [0.2126, 0.7152, 0.0722]
    .reduce((sum, weight, i) => sum + weight * channel(color[i] / 255), 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...element.querySelectorAll("label, bdi, th, td, input, select, button")]
    .filter(node => node.offsetParent && !node.disabled);
  return Math.min(...texts.map(node => {
    const [dark, bright] = [parse(getComputedStyle(node).color), behind(node)].map(light).sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  }));
}"""

#: How far rows of ticks and of the table, and columns of its buttons and of its cells, are from each other, in pixels.
ASKEW = """element => {
  const boxes = selector => [...element.querySelectorAll(selector)].map(node => node.getBoundingClientRect());
  const far = (some, others, side) => some.map((box, i) => Math.abs(box[side] - others[i][side]));
  const rows = far(boxes(".amo-ticks .widget-checkbox"), boxes("tbody tr"), "top");
  const columns = far(boxes(".amo-head button"), boxes("tbody tr:first-child > *"), "left");
  return Math.max(...rows, ...columns);
}"""

#: Milliseconds from a click on a button, or from a text typed into an input, to the table that shows what came of it.
DELAY = """([control, text]) => new Promise((done, fail) => {
  const began = performance.now();
  const table = document.querySelector(".amo-list");
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(Math.round(performance.now() - began))));
  }).observe(table, {childList: true, subtree: true});
  setTimeout(() => fail("the table stayed as it was"), 15000);
  if (text === null) return control.click();
  control.value = text;
  control.dispatchEvent(new Event("input", {bubbles: true}));
})"""
