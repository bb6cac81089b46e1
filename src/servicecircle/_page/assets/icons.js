// Symbols: drawn here, no web font, no emblem.
import { colours, panel, svg } from "./page.js";

const box = (size, view, ...shapes) =>
  svg("svg", { width: size, height: size, viewBox: `0 0 ${view} ${view}`, "aria-hidden": "true" }, ...shapes);
const path = (d, attributes) => svg("path", { d, ...attributes });

export const icons = {
  station: (size = 24) =>
    box(size, 24,
      svg("circle", { cx: 12, cy: 12, r: 11, fill: colours.station, stroke: "#fff", "stroke-width": 2 }),
      path(panel.symbols.station, { fill: "#fff" })),
  shop: (size = 16) =>
    box(size, 16,
      svg("circle", { cx: 8, cy: 8, r: 7, fill: "#fff", stroke: colours.shop, "stroke-width": 1.4 }),
      path(panel.symbols.shop, { fill: colours.shop })),
  shopDot: (size = 8) =>
    box(size, 8, svg("circle", { cx: 4, cy: 4, r: 3.2, fill: "#fff", stroke: colours.shop, "stroke-width": 1.6 })),
  depot: (size = 18) =>
    box(size, 18,
      svg("rect", { x: 1, y: 1, width: 16, height: 16, rx: 3, fill: colours.depot, stroke: "#fff", "stroke-width": 1.6 }),
      path(panel.symbols.depot,
        { fill: "none", stroke: "#fff", "stroke-width": 1.2, "stroke-linejoin": "round" })),
  centre: (size = 22) =>
    box(size, 22,
      svg("rect", { x: 4, y: 4, width: 14, height: 14, rx: 2, fill: colours.station, stroke: "#fff", "stroke-width": 1.8, transform: "rotate(45 11 11)" }),
      svg("circle", { cx: 11, cy: 11, r: 3, fill: "#fff" })),
  candidate: (size = 8) =>
    box(size, 8, svg("circle", { cx: 4, cy: 4, r: 3, fill: "#fff", "fill-opacity": 0.85, stroke: colours.candidate, "stroke-width": 1.1 })),
  cell: (size = 16) =>
    box(size, 16, svg("rect", { x: 1.5, y: 1.5, width: 13, height: 13, fill: panel.missed_colours[1], stroke: colours.gap, "stroke-width": 0.6 })),
  gap: (size = 16) =>
    box(size, 16, svg("rect", { x: 1, y: 1, width: 14, height: 14, rx: 2, fill: "url(#sc-hatch)", stroke: colours.gap, "stroke-width": 1.4 })),
  street: (size = 16) =>
    box(size, 16,
      path("M2 13 C6 11 9 7 14 3", { fill: "none", stroke: colours.casing, "stroke-width": 5 }),
      path("M2 13 C6 11 9 7 14 3", { fill: "none", stroke: "#fff", "stroke-width": 3 })),
  glass: () =>
    box(16, 16, svg("circle", { cx: 6.8, cy: 6.8, r: 4.6, fill: "none", stroke: colours.second, "stroke-width": 1.6 }),
      path("M10.3 10.3 14 14", { stroke: colours.second, "stroke-width": 1.6, "stroke-linecap": "round" })),
  plus: () => box(16, 16, path("M8 2.5v11M2.5 8h11", { stroke: colours.ink, "stroke-width": 1.8, "stroke-linecap": "round" })),
  minus: () => box(16, 16, path("M2.5 8h11", { stroke: colours.ink, "stroke-width": 1.8, "stroke-linecap": "round" })),
  whole: () =>
    box(16, 16, path("M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
      { fill: "none", stroke: colours.ink, "stroke-width": 1.7, "stroke-linecap": "round", "stroke-linejoin": "round" })),
  print: () =>
    box(16, 16,
      path("M4.5 5.5v-3h7v3M4.5 11h-2V5.7h11V11h-2M4.5 9.2h7v4.6h-7z",
        { fill: "none", stroke: colours.ink, "stroke-width": 1.5, "stroke-linejoin": "round" })),
  north: () =>
    svg("svg", { width: 14, height: 20, viewBox: "0 0 14 20", "aria-hidden": "true" },
      path("M7 1 12.5 19 7 15.2z", { fill: colours.ink, stroke: colours.ink, "stroke-width": 1, "stroke-linejoin": "round" }),
      path("M7 1 1.5 19 7 15.2z", { fill: "#fff", stroke: colours.ink, "stroke-width": 1, "stroke-linejoin": "round" })),
  pin(number, isHollow, width = 30) {
    const [ground, edge] = isHollow ? ["#fff", colours.proposal] : [colours.proposal, "#fff"];
    const text = svg("text", {
      x: 15, y: 19.9, "text-anchor": "middle", "font-size": String(number).length > 2 ? 11.5 : 15.5, "font-weight": 700,
      fill: isHollow ? colours.proposal : "#fff",
    });
    text.textContent = String(number);
    return svg("svg", { width, height: width * 1.25, viewBox: "0 0 30 37.5", "aria-hidden": "true" },
      path(panel.symbols.suggestion,
        { fill: ground, stroke: edge, "stroke-width": isHollow ? 2.4 : 2 }), text);
  },
  /** A place that is tried: a plus in a halo; hollow for a shop. */
  trial(size = 34, isShop = false) {
    const [ground, ink] = isShop ? ["#fff", colours.proposal] : [colours.proposal, "#fff"];
    return box(size, 34,
      svg("circle", { cx: 17, cy: 17, r: 15.4, fill: "#fff", "fill-opacity": 0.35, stroke: colours.proposal, "stroke-width": 1.4, "stroke-dasharray": "3 2.4" }),
      svg("circle", { cx: 17, cy: 17, r: 10, fill: ground, stroke: isShop ? colours.proposal : "#fff", "stroke-width": 2 }),
      path("M17 12v10M12 17h10", { stroke: ink, "stroke-width": 2.2, "stroke-linecap": "round" }));
  },
  /** A street that is blocked. */
  blocked: (size = 34) =>
    box(size, 34,
      svg("circle", { cx: 17, cy: 17, r: 11, fill: "#fff", stroke: colours.ink, "stroke-width": 2.2 }),
      path("M11.5 17h11", { stroke: colours.ink, "stroke-width": 3, "stroke-linecap": "round" })),
  /** A place that is closed: the same symbol, pale, with a stroke across. */
  closed(symbol) {
    const size = Number(symbol.getAttribute("width"));
    const view = Number(symbol.getAttribute("viewBox").split(" ")[2]);
    for (const shape of symbol.children) shape.setAttribute("opacity", 0.45);
    symbol.append(path(`M${view * 0.1} ${view * 0.9} ${view * 0.9} ${view * 0.1}`,
      { stroke: colours.ink, "stroke-width": (2 * view) / size, "stroke-linecap": "round" }));
    return symbol;
  },
};

/** Patterns of gap and gain, in a picture of no size (hidden ones are not drawn from). */
document.body.append(
  svg("svg", { width: 0, height: 0, style: "position:absolute", "aria-hidden": "true" },
    svg("defs", {},
      svg("pattern", { id: "sc-hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("line", { x1: 0, y1: 0, x2: 0, y2: 7, stroke: colours.gap, "stroke-width": 1.1, "stroke-opacity": 0.62 })),
      svg("pattern", { id: "sc-dots", width: 8, height: 8, patternUnits: "userSpaceOnUse" },
        svg("rect", { width: 8, height: 8, fill: colours.proposal, "fill-opacity": 0.08 }),
        ...[2, 6].map((at) => svg("circle", { cx: at, cy: at, r: 0.85, fill: colours.proposal, "fill-opacity": 0.45 }))))));
