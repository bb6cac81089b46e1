// Start: what the page is drawn from is fetched, the map is made, then the rest is read.
const lang = new URLSearchParams(location.search).get("lang");
const answer = await fetch(lang ? `live.json?lang=${encodeURIComponent(lang)}` : "live.json");
if (!answer.ok) {
  const problem = await answer.json().catch(() => ({}));
  document.getElementById("sc-side").textContent = problem.detail || `${answer.status} ${answer.statusText}`;
} else {
  globalThis.pageData = await answer.json();
  const { panel } = globalThis.pageData;
  document.documentElement.lang = panel.words.html_lang;
  document.title = panel.study;
  globalThis.theMap = L.map("sc-map", {
    center: [panel.origin[1], panel.origin[0]], zoom: 14, zoomControl: false, maxZoom: 20, zoomSnap: 0.25, attributionControl: false,
  });
  await import("./live.js");
}
