/** Style of the page; colours as on the playground. Dark where the reader's system is, always light on paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbf9f4; --raised: #ffffff; --ink: #26221c; --faint: #6b645a; --line: #e2dccf;
  --draft: #0c6a63; --target: #97421e; --lookup: #5d3a9b;
  --text-face: "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", Georgia, "DejaVu Serif", serif;
  --label-face: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #191816; --raised: #21201d; --ink: #e9e3d8; --faint: #a39a8c; --line: #3a3731;
    --draft: #7fcfc3; --target: #f0a37f; --lookup: #c4b0f5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 68rem;
  background: var(--paper); color: var(--ink); font: 0.9375rem / 1.5 var(--label-face);
}
header { max-width: 46rem; }
h1, h2, .lead, .example { font-family: var(--text-face); }
h1 { margin: 0; font-size: 2.5rem; line-height: 1.15; font-weight: 500; overflow-wrap: anywhere; }
.kicker { margin: 0 0 0.25rem; color: var(--faint); font-size: 0.8125rem; letter-spacing: 0.04em; text-transform: uppercase; }
.lead { margin: 1rem 0 0; font-size: 1.1875rem; line-height: 1.5; overflow-wrap: anywhere; }
h2 { margin: 3.5rem 0 0.25rem; font-size: 1.625rem; line-height: 1.25; font-weight: 500; }
.intro { margin: 0 0 1.5rem; max-width: 46rem; color: var(--faint); }
.figures-row { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 2rem 0 0; padding: 1.25rem 0; border-block: 1px solid var(--line); }
.figures-row div { display: flex; flex-direction: column-reverse; min-width: 7rem; }
.figures-row dt { color: var(--faint); font-size: 0.8125rem; }
.figures-row dd { margin: 0; font: 500 2rem / 1.2 var(--text-face); font-variant-numeric: lining-nums tabular-nums; }
.figures-row div:first-child dd { color: var(--draft); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 1.25rem; align-items: start; }
figure { margin: 0; padding: 1.25rem; border: 1px solid var(--line); border-radius: 10px; background: var(--raised); }
figure h3 { margin: 0; font-size: 1rem; font-weight: 650; }
figcaption { color: var(--faint); font-size: 0.8125rem; margin: 0.25rem 0 0.75rem; }
.plot { display: block; width: 100%; height: auto; max-width: 40rem; overflow: visible; font: 11.5px var(--label-face); }
.plot text { fill: currentColor; white-space: pre; }
.plot [aria-label$="tick label"] text, .plot [aria-label$="axis label"] text { fill: var(--faint); }
.plot [fill="var(--faint)"] text { fill: var(--faint); }
.plot [fill="var(--draft)"] text { fill: var(--draft); }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0 0 0.5rem; padding: 0; list-style: none; font-size: 0.8125rem; }
.legend li { display: inline-flex; align-items: center; gap: 0.35rem; }
.legend .plot { width: 18px; height: 18px; flex: none; }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.8125rem; font-variant-numeric: tabular-nums; }
caption { text-align: start; }
th, td { padding: 0.35rem 0 0.35rem 0.75rem; border-bottom: 1px solid var(--line); text-align: end; white-space: nowrap; }
th:first-child, td:first-child { text-align: start; padding-inline-start: 0; }
thead th { color: var(--faint); font-weight: 500; vertical-align: bottom; white-space: normal; }
tbody th { font-weight: 400; }
tr.chosen > * { font-weight: 700; }
tbody tr:last-child > * { border-bottom: 0; }
figure h3 + .table { margin-top: 0.5rem; }
.wide { grid-column: 1 / -1; }
.columns { columns: 2 27rem; column-gap: 1.25rem; }
.columns > figure { break-inside: avoid; margin-bottom: 1.25rem; }
.texts td { text-align: start; white-space: normal; overflow-wrap: anywhere; }
.texts th { white-space: normal; color: var(--faint); width: 40%; }
details { margin-top: 0.75rem; }
summary { cursor: pointer; color: var(--faint); font-size: 0.8125rem; }
.example { margin: 0; max-width: 42rem; font-size: 1.125rem; line-height: 1.75; white-space: pre-wrap; overflow-wrap: anywhere; }
.prompt { color: var(--faint); }
.draft, .lookup, .target { text-underline-offset: 0.28em; text-decoration-thickness: 1.5px; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.draft { color: var(--draft); text-decoration-line: underline; }
.lookup { color: var(--lookup); text-decoration-line: underline; text-decoration-style: dotted; text-decoration-thickness: 2.5px; }
.target { color: var(--target); }
.key { font-family: var(--text-face); font-size: 1rem; }
footer { margin-top: 4rem; color: var(--faint); font-size: 0.8125rem; }
@media (max-width: 30rem) {
  body { padding: 1.5rem 0.875rem 3rem; }
  h1 { font-size: 2rem; }
  figure { padding: 0.875rem 0.75rem; }
  .figures-row { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
  .figures-row dd { font-size: 1.625rem; }
  .plot { font-size: 13px; }
}
@media print {
  @page { margin: 14mm; }
  body { padding: 0; max-width: none; background: none; font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; margin-top: 1.5rem; }
  figure, tr, .figures-row { break-inside: avoid; }
  .grid { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.75rem; }
  .columns { columns: 2; }
  .table { overflow: visible; }
  details:not([open]) { display: none; }
  table { font-size: 0.6875rem; }
  th, td { padding-inline-start: 0.4rem; white-space: normal; }
  figure { padding: 0.75rem; }
}
`;
