import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** Text that is HTML already; whatever is put into the template otherwise is escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export { html, raw };

/** What a figure is made of. */
export interface FigureParts {
  readonly title: string;
  /** How to read it. */
  readonly caption: string;
  readonly legend?: readonly LegendEntry[];
  /** SVG. */
  readonly plot: string;
  /** The same in figures. */
  readonly table?: Html;
}

export interface LegendEntry {
  /** SVG. */
  readonly swatch: string;
  readonly text: string;
}

/** A plot with its legend, and its numbers to unfold. */
export function figure({ title, caption, legend = [], plot, table }: FigureParts): Html {
  return html`<figure>
<h3>${title}</h3>
<figcaption>${caption}</figcaption>
${legend.length === 0 ? null : legendOf(legend)}
${raw(plot)}
${table === undefined ? null : html`<details><summary>In figures</summary>${table}</details>`}
</figure>`;
}

function legendOf(entries: readonly LegendEntry[]): Html {
  return html`<ul class="legend">${entries.map(({ swatch, text }) => html`<li>${raw(swatch)}<span>${text}</span></li>`)}</ul>`;
}

/** A table with a header; the first cell of each row names it. `chosen`: index of a row to stress. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], chosen?: number): Html {
  const row = (cells: readonly string[], index: number) => {
    const [name, ...values] = cells;
    const inside = html`<th scope="row">${name}</th>${values.map((value) => html`<td>${value}</td>`)}`;
    return index === chosen ? html`<tr class="chosen">${inside}</tr>` : html`<tr>${inside}</tr>`;
  };
  return html`<div class="table"><table>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map(row)}</tbody>
</table></div>`;
}

/** Names and what they are, a row each. */
export function facts(rows: readonly Fact[]): Html {
  return html`<div class="table"><table class="texts"><tbody>${rows.map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  )}</tbody></table></div>`;
}

export type Fact = readonly [name: string, value: string];
