import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** Colours of the page, by what they mean; every one of them goes with a shape or a pattern of its own. */
export const COLOR = {
  ink: 'currentColor',
  faint: 'var(--faint)',
  line: 'var(--line)',
  paper: 'var(--raised)',
  draft: 'var(--draft)',
  target: 'var(--target)',
} as const;

/** Width in CSS pixels at which texts have the size of the page's small print; figures scale with their column. */
export const WIDTH = 440;

/**
 * An SVG element as text. `label` tells those who cannot see it what it shows. A DOM of its own for each, so that
 * nothing is kept and no global is needed.
 */
export function drawPlot(label: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html><body></body></html>');
  const svg = Plot.plot({ width: WIDTH, className: 'plot', ...options, document });
  svg.removeAttribute('font-size');
  svg.removeAttribute('font-family');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  for (const element of [svg, ...svg.querySelectorAll('*')]) roundNumbers(element);
  // The page styles all plots at once.
  svg.querySelector('style')?.remove();
  return svg.outerHTML;
}

/** Geometry in hundredths of a pixel: a third of the bytes. */
function roundNumbers(element: Element): void {
  for (const { name, value } of [...element.attributes]) {
    if (!/\d\.\d{3}/.test(value) || name.startsWith('aria-')) continue;
    element.setAttribute(
      name,
      value.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(2)))),
    );
  }
}

/** The values, moved apart so that neighbours have at least `gap` between them; in the order given. */
export function spreadApart(values: readonly number[], gap: number): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  // Groups that touch are merged and centred on the mean of what they hold.
  const groups: { center: number; members: number[] }[] = [];
  for (const { value, index } of order) {
    let group = { center: value, members: [index] };
    for (
      let before = groups.at(-1);
      before !== undefined && overlap(before, group, gap);
      before = groups.at(-1)
    ) {
      groups.pop();
      const [a, b] = [before.members.length, group.members.length];
      group = {
        center: (before.center * a + group.center * b) / (a + b),
        members: [...before.members, ...group.members],
      };
    }
    groups.push(group);
  }
  const placed = new Array<number>(values.length);
  for (const { center, members } of groups) {
    members.forEach((index, i) => {
      placed[index] = center + (i - (members.length - 1) / 2) * gap;
    });
  }
  return placed;
}

type Group = { readonly center: number; readonly members: readonly number[] };

function overlap(a: Group, b: Group, gap: number): boolean {
  return b.center - a.center < (gap * (a.members.length + b.members.length)) / 2;
}
