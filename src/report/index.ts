import { EXTRA_MARK, type ExtraFile } from '../artifact/index.ts';
import { html, raw } from './html.ts';
import { formatMarkdown } from './markdown.ts';
import * as sections from './sections.ts';
import { STYLE } from './style.ts';
import type { ReportInput } from './types.ts';

export type * from './types.ts';

/** `report.html`, one page that needs nothing else, and `report.md`, its tables. */
export async function renderReport(input: ReportInput): Promise<ExtraFile[]> {
  const encode = (text: string) => new TextEncoder().encode(text);
  return [
    { name: 'report.html', bytes: encode(await renderPage(input)) },
    { name: 'report.md', bytes: encode(`<!-- ${EXTRA_MARK} -->\n\n${formatMarkdown(input)}\n`) },
  ];
}

async function renderPage(input: ReportInput): Promise<string> {
  const { manifest } = input;
  const page = await html`<!doctype html>
<!-- ${EXTRA_MARK} -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${manifest.name}: sdfp build report</title>
<style>${raw(STYLE)}</style>
</head>
<body>
${sections.head(input)}
<main>
${sections.plan(input)}
${sections.methods(input)}
${sections.speeds(input)}
${sections.candidates(input)}
${sections.example(input)}
${sections.making(input)}
</main>
<footer>Measurements of one machine at one time; the artifact itself is the same on every machine but for the section “measured” of its manifest.</footer>
</body>
</html>
`;
  return String(page);
}
